"""The language modeling loss without the logits of all tokens at once."""

from keras import ops

from keras_led import backend
from keras_led.losses.model_losses import IGNORED_LABEL
from keras_led.losses.model_losses import count_of_mean
from keras_led.typing import Tensor

# Tokens whose logits are held at a time: 103 MB in float32 for a vocabulary
# of 50,265. Fewer make each pass over the table's gradient count.
CHUNK = 512


def chunked_language_modeling_loss(
    hidden_states: Tensor,
    table: Tensor,
    bias: Tensor,
    labels: Tensor,
    label_smoothing: float = 0.0,
    chunk: int = CHUNK,
) -> Tensor:
    """`language_modeling_loss` of the projected hidden states.

    Logits of `chunk` tokens exist at a time. Where there are more, their
    gradients are taken at once, so that the backward pass needs none of them:
    the memory is `chunk * V` and not `B * T * V`, the number of products the
    same.

    Args:
        hidden_states: Float tensor of shape `(B, T, D)`.
        table: Float tensor of shape `(V, D)`, to which they are projected.
        bias: Float tensor of shape `(V,)` or `(1, V)`, without a gradient.
        labels: Int tensor of shape `(B, T)`: token ids, or -100 for a token
            that does not count.
        label_smoothing: float in `[0, 1)`; see `language_modeling_loss`.
        chunk: int, most tokens in a chunk.

    Returns:
        Float32 scalar.
    """
    hidden_size = hidden_states.shape[-1]
    rows = backend.reshape(hidden_states, (-1, hidden_size))
    targets = backend.reshape(backend.cast(labels, "int32"), (-1,))
    counts = ops.not_equal(targets, IGNORED_LABEL)
    total = count_of_mean(counts)
    rows, targets, chunk = _cut(rows, targets, chunk)
    bias = ops.stop_gradient(ops.convert_to_tensor(bias, "float32"))
    bias = backend.reshape(bias, (-1,))

    constants = (targets, total, bias)
    if rows.shape[0] == chunk:
        return _loss_of_one(constants, label_smoothing)(rows, table)
    return _loss_of_chunks(constants, label_smoothing, chunk)(rows, table)


def _loss_of_one(constants, label_smoothing):
    """The loss of a single chunk `(C, D)` and a table.

    The gradient by its logits, `C * V`, is smaller than that by the table.
    """

    def forward(constants, rows, table):
        targets, total, bias = constants
        loss, by_logits = _loss_and_gradient(
            rows, table, bias, targets, label_smoothing
        )
        by_logits = backend.cast(by_logits, rows.dtype)
        return loss / total, (by_logits, rows, table)

    def backward(constants, kept, upstream):
        by_logits, rows, table = kept
        scale = backend.cast(upstream / constants[1], by_logits.dtype)
        return _products(by_logits * scale, rows, table)

    return backend.custom_gradient(forward, backward, constants)


def _loss_of_chunks(constants, label_smoothing, chunk):
    """The loss of whole chunks, `(chunks * C, D)`, and a table."""

    def forward(constants, rows, table):
        targets, total, bias = constants

        def body(sums, inputs):
            loss, by_table = sums
            part, part_targets = inputs
            part_loss, by_logits = _loss_and_gradient(
                part, table, bias, part_targets, label_smoothing
            )
            by_logits = backend.cast(by_logits / total, rows.dtype)
            by_part, product = _products(by_logits, part, table)
            by_table = by_table + backend.cast(product, "float32")
            return (loss + part_loss / total, by_table), (by_part,)

        (loss, by_table), (by_rows,) = backend.scan(
            body,
            (
                ops.zeros((), "float32"),
                ops.zeros(table.shape, "float32"),
            ),
            (
                backend.reshape(rows, (-1, chunk, rows.shape[-1])),
                backend.reshape(targets, (-1, chunk)),
            ),
            dtype=rows.dtype,
            outputs=1,
        )
        by_rows = backend.reshape(by_rows, (-1, rows.shape[-1]))
        return loss, (by_rows, backend.cast(by_table, table.dtype))

    def backward(constants, gradients, upstream):
        return tuple(x * backend.cast(upstream, x.dtype) for x in gradients)

    return backend.custom_gradient(forward, backward, constants)


def _products(by_logits, rows, table):
    """Gradients by the rows and by the table, from that by the logits."""
    by_rows = backend.linear(by_logits, table, None)
    return by_rows, ops.matmul(ops.transpose(by_logits), rows)


def _loss_and_gradient(rows, table, bias, targets, label_smoothing):
    """Summed loss of rows, and its gradient by their logits; float32."""
    logits = backend.cast(backend.table_product(rows, table), "float32") + bias
    counts = ops.not_equal(targets, IGNORED_LABEL)
    weights = backend.cast(counts, "float32")
    vocab_size = logits.shape[-1]
    ids = ops.arange(vocab_size, dtype="int32")[None]
    picked = ops.equal(ids, targets[:, None])
    certain = 1.0 - label_smoothing
    log_sum = ops.logsumexp(logits, axis=-1, keepdims=True)
    target = ops.sum(ops.where(picked, logits, 0.0), axis=-1)
    losses = log_sum[:, 0] - certain * target
    gradient = ops.exp(logits - log_sum)
    gradient = ops.where(picked, gradient - certain, gradient)
    if label_smoothing:
        losses = losses - label_smoothing * ops.mean(logits, axis=-1)
        gradient = gradient - label_smoothing / vocab_size
    return ops.sum(losses * weights), gradient * weights[:, None]


def _cut(rows, targets, chunk):
    """Pads rows and targets to whole chunks of equal size, `chunk` at most.

    Returns:
        Tuple of the rows, the targets, and the size of a chunk.
    """
    count = rows.shape[0]
    if count is None:
        count = backend.shape(rows)[0]
        chunks = (count + chunk - 1) // chunk
    else:
        chunks = max(-(-count // chunk), 1)
        chunk = -(-count // chunks)
    missing = chunks * chunk - count
    if ops.is_tensor(missing) or missing:
        rows = ops.pad(rows, ((0, missing), (0, 0)))
        targets = ops.pad(
            targets, ((0, missing),), constant_values=IGNORED_LABEL
        )
    return rows, targets, chunk

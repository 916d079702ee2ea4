"""Sliding-window attention with global keys, block by block.

The queries are cut into blocks. A block sees one slice of the keys, long
enough for the windows of all its queries, and the global keys before it:

    queries        ....[ block ]............
    keys       ....[ W | block | W ]........   + global keys

so the scores of a block are `query_block x (G + query_block + 2 W)`, and
time and memory grow linearly with the document. The overlapping chunks of the
peers compute twice the band and copy it to skew it.

Source: Beltagy et al., 2020, section 3.1; `LEDEncoderSelfAttention` in
transformers 5.23 for the numerics.
"""

from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.attention.softmax import MASKED_SCORE
from keras_led.attention.softmax import softmax


class GlobalKeys(NamedTuple):
    """What every local query sees beside its window.

    Attributes:
        key: Float tensor of shape `(B, N, G, H)`, the local projection.
        value: Float tensor of shape `(B, N, G, H)`, likewise.
        valid: Bool tensor of shape `(B, G)`; `False` is an unused slot.
    """

    key: object
    value: object
    valid: object


class _Blocks(NamedTuple):
    """Sizes of the blocks, ints (or scalar tensors for dynamic lengths)."""

    length: object
    one_sided_window: int
    query_block: int
    per_step: int
    num_steps: object
    span: object  # keys in the slice of a block


def windowed_attention(
    query,
    key,
    value,
    window_keys,
    attention_window,
    global_keys=None,
    rate=0.0,
    seed=None,
    layout=None,
    return_weights=False,
):
    """Attends to a sliding window and to the global keys, in one softmax.

    Args:
        query: Float tensor of shape `(B, N, L, H)`, already scaled.
        key: Float tensor of shape `(B, N, L, H)`.
        value: Float tensor of shape `(B, N, L, H)`.
        window_keys: Bool tensor of shape `(B, L)`; `True` for the keys that a
            window may show: neither padding nor global.
        attention_window: int, in tokens, both sides together; even.
        global_keys: `GlobalKeys`, or `None` for no global token.
        rate: float in `[0, 1)`, dropout probability of the weights.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        layout: `BlockLayout`; by default the one for the device.
        return_weights: bool, whether to return the weights too, which takes
            memory for `L x (G + attention_window + 1)` numbers a head.

    Returns:
        Tuple of the context, shape `(B, N, L, H)`, and `None` or the weights,
        shape `(B, N, L, G + attention_window + 1)`: first the global keys,
        then the window, where slot `W` is the query's own position. Rows of
        padding and of global tokens hold no meaning: the caller sets them.
    """
    blocks = _plan(query, attention_window, layout or backend.block_layout())
    queries = _cut_queries(query, blocks)  # (steps, B, N, blocks, query, H)

    @backend.remat_block
    def attend_step(inputs):
        step_queries, step = inputs
        first = step * blocks.per_step * blocks.query_block
        starts = first + blocks.query_block * ops.arange(
            blocks.per_step, dtype="int32"
        )
        key_starts = ops.clip(
            starts - blocks.one_sided_window, 0, blocks.length - blocks.span
        )
        step_seed = fold_seed(seed, step)
        return _attend_blocks(
            step_queries,
            (_take_spans(key, key_starts, blocks, axis=2)),
            (_take_spans(value, key_starts, blocks, axis=2)),
            _block_mask(window_keys, starts, key_starts, blocks),
            global_keys,
            lambda weights: dropout(weights, rate, step_seed),
            (starts, key_starts, blocks) if return_weights else None,
        )

    steps = ops.arange(blocks.num_steps, dtype="int32")
    outputs = ops.map(attend_step, (queries, steps))
    if not return_weights:
        return _join_blocks(outputs, blocks), None
    context, weights = outputs
    return _join_blocks(context, blocks), _join_blocks(weights, blocks)


def _plan(query, attention_window, layout):
    length = ops.shape(query)[2]
    one_sided_window = attention_window // 2
    query_block, per_step = layout
    if isinstance(length, int):
        # Even blocks: 1,025 tokens make 9 blocks of 114, not of 128.
        num_blocks = max(1, -(-length // query_block))
        query_block = max(1, -(-length // num_blocks))
        per_step = min(per_step, num_blocks)
        span = min(length, query_block + 2 * one_sided_window)
    else:
        num_blocks = -(-length // query_block)
        span = ops.minimum(length, query_block + 2 * one_sided_window)
    num_steps = -(-num_blocks // per_step)
    return _Blocks(
        length, one_sided_window, query_block, per_step, num_steps, span
    )


def _cut_queries(query, blocks):
    """`(B, N, L, H) -> (steps, B, N, blocks, query, H)`, padded with 0."""
    batch, num_heads, length, head_dim = ops.shape(query)
    per_step = blocks.per_step * blocks.query_block
    padding = blocks.num_steps * per_step - length
    query = ops.pad(query, ((0, 0), (0, 0), (0, padding), (0, 0)))
    shape = (
        batch,
        num_heads,
        blocks.num_steps,
        blocks.per_step,
        blocks.query_block,
        head_dim,
    )
    return ops.transpose(ops.reshape(query, shape), (2, 0, 1, 3, 4, 5))


def _join_blocks(x, blocks):
    """`(steps, B, N, blocks, query, X) -> (B, N, L, X)`."""
    _, batch, num_heads, _, _, last = ops.shape(x)
    x = ops.transpose(x, (1, 2, 0, 3, 4, 5))
    padded = blocks.num_steps * blocks.per_step * blocks.query_block
    x = ops.reshape(x, (batch, num_heads, padded, last))
    return x[:, :, : blocks.length]


def _take_spans(x, starts, blocks, axis):
    """Puts the key slice of each block beside one another on a new axis.

    `(B, N, L, H) -> (B, N, blocks, span, H)` for axis 2, and
    `(B, L) -> (B, blocks, span)` for axis 1.
    """
    if blocks.per_step == 1:
        shape = list(ops.shape(x))
        begin = [0] * len(shape)
        shape[axis], begin[axis] = blocks.span, starts[0]
        return ops.expand_dims(ops.slice(x, begin, shape), axis)
    return ops.take(x, _span_positions(starts, blocks), axis=axis)


def _span_positions(starts, blocks):
    span = ops.arange(blocks.span, dtype="int32")
    return starts[:, None] + span[None, :]  # (blocks, span)


def _block_mask(window_keys, starts, key_starts, blocks):
    """The keys each query's window shows, `(B, 1, blocks, query, span)`."""
    offsets = ops.arange(blocks.query_block, dtype="int32")
    queries = starts[:, None] + offsets[None, :]  # (blocks, query)
    keys = _span_positions(key_starts, blocks)  # (blocks, span)
    distance = ops.abs(queries[:, :, None] - keys[:, None, :])
    band = distance <= blocks.one_sided_window  # (blocks, query, span)
    visible = _take_spans(window_keys, key_starts, blocks, axis=1)
    return (band[None] & visible[:, :, None, :])[:, None]


def _attend_blocks(queries, keys, values, mask, global_keys, drop, weights_for):
    scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 2, 4, 3)))
    scores = ops.where(mask, ops.cast(scores, "float32"), MASKED_SCORE)
    if global_keys is not None:
        key, value, valid = global_keys
        key = ops.transpose(key, (0, 1, 3, 2))[:, :, None]  # (B, N, 1, H, G)
        beside = ops.cast(ops.matmul(queries, key), "float32")
        beside = ops.where(valid[:, None, None, None, :], beside, MASKED_SCORE)
        scores = ops.concatenate([beside, scores], axis=-1)
    weights = drop(ops.cast(softmax(scores), values.dtype))
    num_global = 0 if global_keys is None else ops.shape(global_keys.key)[2]
    context = ops.matmul(weights[..., num_global:], values)
    if global_keys is not None:
        context = context + ops.matmul(
            weights[..., :num_global], global_keys.value[:, :, None]
        )
    if weights_for is None:
        return context
    return context, _window_layout(weights, num_global, *weights_for)


def _window_layout(weights, num_global, starts, key_starts, blocks):
    """Skews the weights of a key slice to window slots, as the peer's."""
    offsets = ops.arange(blocks.query_block, dtype="int32")
    slots = ops.arange(2 * blocks.one_sided_window + 1, dtype="int32")
    first = starts - blocks.one_sided_window - key_starts  # (blocks,)
    index = first[:, None, None] + offsets[None, :, None] + slots
    inside = (index >= 0) & (index < blocks.span)  # (blocks, query, slots)
    index = ops.clip(index, 0, blocks.span - 1)[None, None]
    index = ops.broadcast_to(
        index, (*ops.shape(weights)[:2], *ops.shape(index)[2:])
    )
    window = ops.take_along_axis(weights[..., num_global:], index, axis=-1)
    window = ops.where(inside, window, ops.zeros((), dtype=weights.dtype))
    return ops.concatenate([weights[..., :num_global], window], axis=-1)

"""The rows of the global tokens: attention over the whole document.

Two ways to the same numbers. With few global tokens it is cheaper to bring
the queries into the space of the hidden states than to project every token
of the document with the global key and value matrices.
"""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.dense import dot_product_attention
from keras_led.attention.dropout import dropout
from keras_led.attention.softmax import masked_softmax
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards


def low_rank_is_cheaper(
    num_slots: int | None, num_heads: int, d_model: int, length: int | None
) -> bool:
    """Compares `G N (L + D) D` with `L D D` multiplications, each twice.

    Args:
        num_slots: int, `G`, or `None` for an unknown, large number.
        num_heads: int, `N`.
        d_model: int, `D`.
        length: int, `L`, or `None` for an unknown one: taken as long.
    """
    if num_slots is None:
        return False
    rows = num_slots * num_heads
    if length is None:
        return rows < d_model
    return rows * (length + d_model) < length * d_model


def projected_global_rows(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    padding_mask: Tensor,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """Attention of the global tokens over projected keys and values.

    Args:
        query: Float tensor of shape `(B, N, G, H)`, scaled.
        key: Float tensor of shape `(B, N, L, H)`, the global projection.
        value: Float tensor of shape `(B, N, L, H)`, likewise.
        padding_mask: Bool tensor of shape `(B, L)`; `True` is a real token.
        **options: `rate`, `seed`, `return_weights` and `shards` of
            `dot_product_attention`; here too the weights are those before
            dropout.

    Returns:
        Tuple of the context, shape `(B, N, G, H)`, and the weights, shape
        `(B, N, G, L)`, or `None`.
    """
    mask = padding_mask[:, None, None, :]
    return dot_product_attention(query, key, value, mask, **options)


def low_rank_global_rows(
    query: Tensor,
    hidden_states: Tensor,
    key_weights: tuple[Tensor, Tensor],
    value_weights: tuple[Tensor, Tensor],
    padding_mask: Tensor,
    rate: float = 0.0,
    seed: Tensor | None = None,
    shards: "DocumentShards | None" = None,
) -> tuple[Tensor, Tensor]:
    """The same rows without a projected key or value for any token.

    `q (x W_k + b_k)^T = (q W_k^T) x^T + q b_k^T` and
    `p (x W_v + b_v) = (p x) W_v + sum(p) b_v`.

    Args:
        query: Float tensor of shape `(B, N, G, H)`, scaled.
        hidden_states: Float tensor of shape `(B, L, D)`, input of the layer.
        key_weights: Tuple of the global key kernel, shape `(D, D)`, and its
            bias, shape `(D,)`.
        value_weights: Tuple of the global value kernel and bias, likewise.
        padding_mask: Bool tensor of shape `(B, L)`; `True` is a real token.
        rate: float in `[0, 1)`, dropout probability of the weights.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        shards: `DocumentShards` where the hidden states are those of a part
            of the document, `None` where they are those of all of it.

    Returns:
        Tuple of the context, shape `(B, N, G, H)`, and the weights before
        dropout, shape `(B, N, G, L)`.
    """
    batch, num_heads, num_slots, head_dim = backend.shape(query)
    length, dim = backend.shape(hidden_states)[1], hidden_states.shape[-1]
    rows = num_heads * num_slots
    (key_kernel, key_bias), (value_kernel, value_bias) = (
        (
            backend.cast(kernel, query.dtype),
            backend.reshape(
                backend.cast(bias, query.dtype), (num_heads, 1, head_dim)
            ),
        )
        for kernel, bias in (key_weights, value_weights)
    )
    # Whole kernels times rows that are 0 but for their own head, and only that
    # head's columns of what comes out: head by head, the kernels would be
    # copied, which takes longer than all the products.
    # Not `ops.eye`, in TensorFlow an operation that few runtimes have.
    heads = ops.arange(num_heads)
    own_head = backend.cast(ops.equal(heads[:, None], heads), query.dtype)
    own_head = own_head[:, None, :, None]
    queries = query[:, :, :, None, :] * own_head  # (B, N, G, N, H)
    queries = backend.reshape(queries, (batch, rows, dim))
    queries = backend.table_product(queries, key_kernel)
    # Not the other way round, which would transpose the whole document.
    scores = ops.matmul(hidden_states, ops.transpose(queries, (0, 2, 1)))
    scores = ops.transpose(scores, (0, 2, 1))
    scores = backend.reshape(scores, (batch, num_heads, num_slots, length))
    scores = scores + ops.sum(query * key_bias, axis=-1, keepdims=True)
    weights = masked_softmax(scores, padding_mask[:, None, None, :], shards)
    weights = backend.cast(weights, query.dtype)
    kept = dropout(weights, rate, seed)
    summary = ops.matmul(
        backend.reshape(kept, (batch, rows, length)), hidden_states
    )
    context = backend.linear(summary, value_kernel, None)
    context = backend.reshape(
        context, (batch, num_heads, num_slots, num_heads, head_dim)
    )
    # Not `ops.diagonal`, which TensorFlow Lite does not have.
    context = ops.stack(
        [context[:, head, :, head] for head in range(num_heads)], axis=1
    )
    total = ops.sum(kept, axis=-1, keepdims=True)  # 1, but for dropout
    context = context + total * value_bias
    if shards is not None:
        context = backend.sum_over_shards(context, shards)
    return context, weights

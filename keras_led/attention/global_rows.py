"""The rows of the global tokens: attention over the whole document.

Two ways to the same numbers. With few global tokens it is cheaper to bring
the queries into the space of the hidden states than to project every token
of the document with the global key and value matrices.
"""

from keras import ops

from keras_led.attention.dense import dot_product_attention
from keras_led.attention.dropout import dropout
from keras_led.attention.softmax import masked_softmax


def low_rank_is_cheaper(num_slots, num_heads, d_model):
    """Compares `G * N * L * D` with `L * D * D` multiplications, each twice.

    Args:
        num_slots: int, `G`, or `None` for an unknown, large number.
        num_heads: int, `N`.
        d_model: int, `D`.
    """
    return num_slots is not None and num_slots * num_heads < d_model


def projected_global_rows(query, key, value, padding_mask, **options):
    """Attention of the global tokens over projected keys and values.

    Args:
        query: Float tensor of shape `(B, N, G, H)`, scaled.
        key: Float tensor of shape `(B, N, L, H)`, the global projection.
        value: Float tensor of shape `(B, N, L, H)`, likewise.
        padding_mask: Bool tensor of shape `(B, L)`; `True` is a real token.
        **options: `rate`, `seed` and `return_weights` of
            `dot_product_attention`; here too the weights are those before
            dropout.

    Returns:
        Tuple of the context, shape `(B, N, G, H)`, and the weights, shape
        `(B, N, G, L)`, or `None`.
    """
    mask = padding_mask[:, None, None, :]
    return dot_product_attention(query, key, value, mask, **options)


def low_rank_global_rows(
    query,
    hidden_states,
    key_weights,
    value_weights,
    padding_mask,
    rate=0.0,
    seed=None,
):
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

    Returns:
        Tuple of the context, shape `(B, N, G, H)`, and the weights before
        dropout, shape `(B, N, G, L)`.
    """
    batch, num_heads, num_slots, head_dim = ops.shape(query)
    dim = hidden_states.shape[-1]

    def by_head(weights):
        kernel, bias = weights
        kernel = ops.reshape(kernel, (dim, num_heads, head_dim))
        bias = ops.reshape(bias, (num_heads, head_dim))
        return ops.cast(kernel, query.dtype), ops.cast(bias, query.dtype)

    key_kernel, key_bias = by_head(key_weights)
    value_kernel, value_bias = by_head(value_weights)
    document_query = ops.einsum("bngh,dnh->bngd", query, key_kernel)
    queries = ops.reshape(document_query, (batch, num_heads * num_slots, dim))
    # Not the other way round, which would transpose the whole document.
    scores = ops.matmul(hidden_states, ops.transpose(queries, (0, 2, 1)))
    scores = ops.transpose(scores, (0, 2, 1))
    length = ops.shape(hidden_states)[1]
    scores = ops.reshape(scores, (batch, num_heads, num_slots, length))
    scores = scores + ops.einsum("bngh,nh->bng", query, key_bias)[..., None]
    weights = masked_softmax(scores, padding_mask[:, None, None, :])
    weights = ops.cast(weights, query.dtype)
    kept = dropout(weights, rate, seed)
    summary = ops.matmul(
        ops.reshape(kept, (batch, num_heads * num_slots, length)),
        hidden_states,
    )
    summary = ops.reshape(summary, (batch, num_heads, num_slots, dim))
    context = ops.einsum("bngd,dnh->bngh", summary, value_kernel)
    total = ops.sum(kept, axis=-1, keepdims=True)  # 1, but for dropout
    return context + total * value_bias[None, :, None, :], weights

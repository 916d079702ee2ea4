"""Attention of every query over every key: decoder and global rows."""

from keras import ops

from keras_led import backend
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.attention.softmax import masked_softmax

# Above this many scores a head, the queries go block by block, so that
# memory grows with the keys and not with queries x keys. 2**21 float32 scores
# of 12 heads are 100 MB: a 128-token target over 16,384 keys stays in one.
MAX_SCORES_PER_HEAD = 2**21

# Up to so many queries, as in decoding, `backend.KEYS_FIRST` matters.
FEW_QUERIES = 16


def dot_product_attention(
    query, key, value, mask=None, rate=0.0, seed=None, return_weights=False
):
    """Scaled dot-product attention, linear in memory.

    Args:
        query: Float tensor of shape `(B, N, T, H)`, already scaled.
        key: Float tensor of shape `(B, N, S, H)`.
        value: Float tensor of shape `(B, N, S, H)`.
        mask: Bool tensor of shape `(B or 1, 1, T or 1, S)`, `True` may
            attend, or `None`.
        rate: float in `[0, 1)`, dropout probability of the weights.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        return_weights: bool, whether to return the weights too.

    Returns:
        Tuple of the context, shape `(B, N, T, H)`, and the weights before
        dropout, shape `(B, N, T, S)`, or `None`.

    Source:
        Vaswani et al., 2017, section 3.2.1.
    """
    num_queries, num_keys = query.shape[2], key.shape[2]
    sizes_known = num_queries is not None and num_keys is not None
    if return_weights or not sizes_known:
        return _attend(query, key, value, mask, rate, seed)
    block = max(1, MAX_SCORES_PER_HEAD // num_keys)
    if num_queries <= block:
        return _attend(query, key, value, mask, rate, seed)[0], None
    return _attend_by_block(query, key, value, mask, rate, seed, block), None


def _attend(query, key, value, mask, rate, seed):
    weights = masked_softmax(_scores(query, key), mask)
    weights = ops.cast(weights, value.dtype)
    return ops.matmul(dropout(weights, rate, seed), value), weights


def _scores(query, key):  # (B, N, T, H), (B, N, S, H) -> (B, N, T, S)
    num_queries = query.shape[2]
    few = num_queries is not None and num_queries <= FEW_QUERIES
    if backend.KEYS_FIRST and few:
        scores = ops.matmul(key, ops.transpose(query, (0, 1, 3, 2)))
        return ops.transpose(scores, (0, 1, 3, 2))
    return ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))


def _attend_by_block(query, key, value, mask, rate, seed, block):
    batch, num_heads, num_queries, head_dim = ops.shape(query)
    num_blocks = -(-num_queries // block)
    padding = num_blocks * block - num_queries

    def cut(x):  # (B, N, T, X) -> (blocks, B, N, block, X)
        x = ops.pad(x, ((0, 0), (0, 0), (0, padding), (0, 0)))
        x = ops.reshape(x, (*ops.shape(x)[:2], num_blocks, block, x.shape[-1]))
        return ops.transpose(x, (2, 0, 1, 3, 4))

    varies = mask is not None and mask.shape[2] != 1
    blocks = (cut(query), ops.arange(num_blocks, dtype="int32"))
    if varies:
        blocks += (cut(mask),)

    @backend.remat_block
    def attend_block(inputs):
        queries, index, *masks = inputs
        block_seed = fold_seed(seed, index)
        block_mask = masks[0] if masks else mask
        return _attend(queries, key, value, block_mask, rate, block_seed)[0]

    context = ops.map(attend_block, blocks)  # (blocks, B, N, block, H)
    context = ops.transpose(context, (1, 2, 0, 3, 4))
    context = ops.reshape(
        context, (batch, num_heads, num_blocks * block, head_dim)
    )
    return context[:, :, :num_queries]

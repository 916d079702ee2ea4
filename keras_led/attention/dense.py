"""Attention of every query over every key: decoder and global rows."""

from keras import ops

from keras_led import backend
from keras_led.attention.blocks import ceil_div
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.attention.softmax import masked_softmax
from keras_led.backend.blocks import loops_allowed

# Above this many scores a head, the queries go block by block, so that
# memory grows with the keys and not with queries x keys. 2**21 float32 scores
# of 12 heads are 100 MB: a 128-token target over 16,384 keys stays in one.
MAX_SCORES_PER_HEAD = 2**21
# So many queries stay in one block where the number of keys is not known.
QUERIES_OF_ONE_BLOCK = 128

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
    if return_weights or not loops_allowed():
        return _attend(query, key, value, mask, rate, seed)
    num_queries, num_keys = ops.shape(query)[2], ops.shape(key)[2]
    if isinstance(num_keys, int):
        block = max(1, MAX_SCORES_PER_HEAD // num_keys)
    else:
        block = ops.maximum(1, MAX_SCORES_PER_HEAD // num_keys)
    if isinstance(num_queries, int):
        known = block if isinstance(block, int) else QUERIES_OF_ONE_BLOCK
        if num_queries <= known:
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
    if not isinstance(num_queries, int) or not isinstance(block, int):
        block = ops.minimum(block, num_queries)
    num_blocks = ceil_div(num_queries, block)
    padding = num_blocks * block - num_queries

    def cut(x):  # (B, N, T, X) -> (blocks, B, N, block, X)
        x = ops.pad(x, ((0, 0), (0, 0), (0, padding), (0, 0)))
        *outer, _, last = ops.shape(x)
        if tuple(x.shape[:2]) == (1, 1):  # a mask for all: nothing to move
            return ops.reshape(x, (num_blocks, 1, 1, block, last))
        x = ops.reshape(x, (*outer, num_blocks, block, last))
        return ops.transpose(x, (2, 0, 1, 3, 4))

    varies = mask is not None and mask.shape[2] != 1
    inputs = (cut(query), ops.arange(num_blocks, dtype="int32"))
    if varies:
        inputs += (cut(mask),)

    @backend.remat_block
    def attend_block(inputs):
        queries, index, *masks = inputs
        block_seed = fold_seed(seed, index)
        block_mask = masks[0] if masks else mask
        return _attend(queries, key, value, block_mask, rate, block_seed)[0]

    context = ops.map(attend_block, inputs)  # (blocks, B, N, block, H)
    context = ops.transpose(context, (1, 2, 0, 3, 4))
    context = ops.reshape(
        context, (batch, num_heads, num_blocks * block, head_dim)
    )
    return context[:, :, :num_queries]

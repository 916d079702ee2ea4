"""Attention of every query over every key: decoder and global rows."""

from typing import TYPE_CHECKING

from keras import ops

from keras_led import backend
from keras_led.attention.blockwise.plan import ceil_div
from keras_led.attention.cross_keys import FEW_QUERIES
from keras_led.attention.cross_keys import Keys
from keras_led.attention.cross_keys import are_few
from keras_led.attention.cross_keys import as_keys
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.attention.softmax import bias_of
from keras_led.attention.softmax import masked_softmax
from keras_led.backend.block_layout import loops_allowed
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards

# Above this many scores a head, the queries go block by block, so that
# memory grows with the keys and not with queries x keys. 2**21 float32 scores
# of 12 heads are 100 MB: a 128-token target over 16,384 keys stays in one.
# `FEW_QUERIES`, such as the beams of a document, stay together: their scores
# are at most as many numbers as 16 dimensions of the keys, and each block would
# read all keys again (a million keys, 4 beams, 4 heads of 16, one core: 115 ms
# in two blocks, 68 in one on TensorFlow, 292 and 255 on PyTorch).
MAX_SCORES_PER_HEAD = 2**21
# So many queries stay in one block where the number of keys is not known.
QUERIES_OF_ONE_BLOCK = 128


def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    rate: float = 0.0,
    seed: Tensor | None = None,
    return_weights: bool = False,
    shards: "DocumentShards | None" = None,
) -> tuple[Tensor, Tensor | None]:
    """Scaled dot-product attention, linear in memory.

    The backward pass keeps the operands and the result, and computes the
    weights once more, as in FlashAttention (Dao et al., 2022, section 3.1).

    Args:
        query: Float tensor of shape `(B, N, T, H)`, already scaled.
        key: Float tensor of shape `(B, N, S, H)`, or `cross_keys` of it.
        value: Float tensor of shape `(B, N, S, H)`.
        mask: Bool tensor of shape `(B or 1, 1, T or 1, S)`, `True` may
            attend, or `None`.
        rate: float in `[0, 1)`, dropout probability of the weights.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        return_weights: bool, whether to return the weights too.
        shards: `DocumentShards` where each of them has keys of its own for
            the same queries, `None` where all keys are here.

    Returns:
        Tuple of the context, shape `(B, N, T, H)`, and the weights before
        dropout, shape `(B, N, T, S)`, or `None`.

    Source:
        Vaswani et al., 2017, section 3.2.1.
    """
    keys, seed = as_keys(key), seed if rate else None
    if not return_weights and seed is None and shards is None:
        attend = backend.fused_attention(query, value)
        if attend is not None:
            bias = None if mask is None else bias_of(mask)
            return attend(query, keys.whole(value.shape[2]), value, bias), None
    if not return_weights and loops_allowed():
        block = _block_size(query, value)
        if block is not None or not are_few(query):
            attend = _attention_of(mask, rate, seed, block, shards)
            return attend(
                query, keys.whole(backend.shape(value)[2]), value
            ), None
    context, weights = _attend(query, keys, value, mask, rate, seed, shards)
    return context, weights if return_weights else None


def _block_size(query, value):
    """Queries of a block, int or scalar tensor, or `None` for one piece."""
    num_queries, num_keys = backend.shape(query)[2], backend.shape(value)[2]
    if isinstance(num_keys, int):
        block = max(FEW_QUERIES, MAX_SCORES_PER_HEAD // num_keys)
    else:
        block = ops.maximum(FEW_QUERIES, MAX_SCORES_PER_HEAD // num_keys)
    if isinstance(num_queries, int):
        known = block if isinstance(block, int) else QUERIES_OF_ONE_BLOCK
        if num_queries <= known:
            return None
        if isinstance(block, int):
            return block
    return ops.minimum(block, num_queries)


def _attend(query, keys, value, mask, rate, seed, shards):
    scores = keys.scores(query, backend.shape(value)[2])
    weights = backend.cast(masked_softmax(scores, mask, shards), value.dtype)
    context = backend.weighted_sum(dropout(weights, rate, seed), value)
    if shards is not None:
        context = backend.sum_over_shards(context, shards)
    return context, weights


def _attention_of(mask, rate, seed, block, shards):
    """The attention as a function of its operands, with its gradient."""

    def attend_heads(constants, query, key, value):
        def attend(_, rows, mask, seed):
            (queries,) = rows
            found = _attend(queries, Keys(key), value, mask, rate, seed, shards)
            return (), (found[0],)

        return _by_block(attend, (), (query,), *constants, block)[1]  # pyright: ignore[reportCallIssue]

    def forward(constants, *operands):
        (context,) = _map_heads(attend_heads, constants, operands, block)
        return context, (context, *operands)

    def backward(constants, kept, grad_output):
        context, *operands = kept
        if shards is not None:  # each has a part of it
            grad_output = backend.sum_over_shards(grad_output, shards)
        tensors = (*operands, context, grad_output)
        return _map_heads(derive_heads, constants, tensors, block)

    def derive_heads(constants, query, key, value, context, grad_output):
        # The mean of a row's gradients under its weights, and under dropout.
        means = ops.sum(
            backend.cast(context, "float32")
            * backend.cast(grad_output, "float32"),
            axis=-1,
            keepdims=True,
        )

        def derive(sums, rows, mask, seed):
            queries, grad_output, mean = rows
            scores = Keys(key).scores(queries, None)
            weights = masked_softmax(scores, mask, shards)
            grad_weights = ops.matmul(grad_output, backend.swap_last(value))
            grad_weights = backend.cast(
                dropout(grad_weights, rate, seed), "float32"
            )
            grad_scores = backend.cast(
                weights * (grad_weights - mean), query.dtype
            )
            weights = dropout(backend.cast(weights, value.dtype), rate, seed)
            found = (
                ops.matmul(backend.swap_last(queries), grad_scores),
                ops.matmul(backend.swap_last(grad_output), weights),
            )
            sums = tuple(
                x + backend.cast(y, "float32")
                for x, y in zip(sums, found, strict=True)
            )
            return sums, (ops.matmul(grad_scores, key),)

        zeros = tuple(
            ops.zeros_like(backend.swap_last(x), dtype="float32")
            for x in (key, value)
        )
        sums, (grad_query,) = _by_block(
            derive,
            zeros,
            (query, grad_output, means),
            *constants,
            block,  # pyright: ignore[reportCallIssue]
        )
        grad_key, grad_value = map(backend.swap_last, sums)
        return (
            grad_query,
            backend.cast(grad_key, key.dtype),
            backend.cast(grad_value, value.dtype),
        )

    return backend.custom_gradient(forward, backward, (mask, seed))


def _map_heads(function, constants, tensors, block):
    """`function` of mask and seed, and of tensors `(B, N, ...)`, by heads."""
    mask, seed = constants

    def of_heads(number, *tensors):
        # One seed for all: others would draw the same noise.
        noise = fold_seed(seed, number) if number else seed
        return function((mask, noise), *tensors)

    return backend.map_heads(of_heads, tensors, block)


def _by_block(function, carry, rows, mask, seed, block):
    """Runs a function on all queries at once, or block by block.

    Args:
        function: Callable from what is handed on, a tuple of rows of queries,
            and their mask and seed, to what to hand on, and a tuple of one
            output with as many rows.
        carry: Tuple of tensors handed to the first block.
        rows: Tuple of tensors `(B, N, T, X)`, first the queries.
        mask: Bool tensor `(B or 1, 1, T or 1, S)`, or `None`.
        seed: Int tensor of shape `(2,)`, or `None`.
        block: int or int scalar tensor, queries in a block, or `None`.

    Returns:
        Pair of what the last block handed on, and the tuple of outputs.
    """
    if block is None:
        return function(carry, rows, mask, seed)
    batch, num_heads, num_queries, _ = backend.shape(rows[0])
    num_blocks = ceil_div(num_queries, block)
    padding = num_blocks * block - num_queries

    def cut(x):  # (B, N, T, X) -> (blocks, B, N, block, X)
        x = ops.pad(x, ((0, 0), (0, 0), (0, padding), (0, 0)))
        *outer, _, last = backend.shape(x)
        if tuple(x.shape[:2]) == (1, 1):  # a mask for all: nothing to move
            return backend.reshape(x, (num_blocks, 1, 1, block, last))
        x = backend.reshape(x, (*outer, num_blocks, block, last))
        return ops.transpose(x, (2, 0, 1, 3, 4))

    varies = mask is not None and mask.shape[2] != 1
    inputs = (backend.step_numbers(num_blocks), *map(cut, rows))
    if varies:
        inputs = (*inputs, cut(mask))

    def run(carry, inputs):
        index, *rows = inputs
        block_mask = rows.pop() if varies else mask
        return function(carry, rows, block_mask, fold_seed(seed, index))

    carry, (output,) = backend.scan(
        run, carry, inputs, dtype=rows[0].dtype, outputs=1
    )
    last = backend.shape(output)[-1]
    output = ops.transpose(output, (1, 2, 0, 3, 4))  # (B, N, blocks, block, X)
    output = backend.reshape(
        output, (batch, num_heads, num_blocks * block, last)
    )
    return carry, (output[:, :, :num_queries],)

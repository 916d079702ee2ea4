"""The backward pass of the windowed attention, block by block.

Nothing of the forward pass is kept but its operands and its result: the
weights of a block are computed once more, as in FlashAttention (Dao et al.,
2022, section 3.1 and algorithm 4). Derived by the framework, each block would
give a gradient as long as the document for its slice of the keys, in all the
square of the length. Here the gradients of the keys in sight slide along with
the blocks:

    keys       [ 1 | 2 | 3 ]                span of a block of queries
                   [ 2 | 3 | 4 ]            of the next one: 1 is done
"""

from keras import ops

from keras_led import backend
from keras_led.attention.blocks import join_blocks
from keras_led.attention.blocks import query_blocks


def attention_gradients(
    context, operands, positions, upstream, weigh, blocks, scale
):
    """Gradients of the context by the operands of the attention.

    Args:
        context: Float tensor of shape `(B, N, L, H)`, of the forward pass.
        operands: Tuple of query, key and value, `(B, N, L, H)`.
        positions: Int32 tensor of shape `(B, G)`, of the global keys that come
            before the others, or `None`.
        upstream: Float tensor of shape `(B, N, L, H)`, by the context.
        weigh: Callable from queries, keys and step to the weights of the
            step, in float32, and the function of their dropout.
        blocks: `Blocks` with a margin (see `with_margin`).
        scale: float, of the scores.

    Returns:
        Tuple of tensors of the shapes of `operands`, and two more for the
        global keys and values as such, `(B, N, G, H)`, if there are any; all
        of the dtype of the query.
    """
    query, key, value = operands
    dtype = query.dtype
    beside = []
    if positions is not None:
        batch, num_heads, _, head_dim = ops.shape(key)
        shape = (batch, num_heads, head_dim, ops.shape(positions)[1])
        beside = [ops.zeros(shape, "float32")] * 2
        if blocks.margin is not None:
            positions = positions + blocks.margin
    keys_of = backend.spans(blocks.pad_keys(key, axis=2), positions)
    values_of = backend.spans(blocks.pad_keys(value, axis=2), positions)
    # The mean of a row's gradients under its weights, and under dropout too.
    means = ops.sum(
        ops.cast(context, "float32") * ops.cast(upstream, "float32"),
        axis=-1,
        keepdims=True,
    )

    by_query = [query_blocks(x, blocks) for x in (query, upstream, means)]

    def body(sums, inputs):
        (step,) = inputs
        queries, above, mean = (blocks_of(step) for blocks_of in by_query)
        _, starts = blocks.starts(step)

        (keys,) = keys_of(starts, blocks.span, joined=True)
        (values,) = values_of(starts, blocks.span, joined=True)
        weights, drop = weigh(queries, keys, step)
        by_weights = drop(backend.times_transposed(above, values))
        # A dropout's gradient is the same dropout.
        by_scores = weights * (ops.cast(by_weights, "float32") - mean)
        by_scores = ops.cast(by_scores, dtype)
        by_queries = backend.times(by_scores, keys) * scale
        by_key = ops.matmul(_swap(queries * scale), by_scores)
        by_value = ops.matmul(_swap(above), drop(ops.cast(weights, dtype)))
        return _add_and_slide(sums, (by_key, by_value), by_queries, blocks)

    in_sight = _sums_in_sight(key, blocks)
    sums, (by_queries, *done) = backend.scan(
        body,
        (in_sight, in_sight, *beside),
        (ops.arange(blocks.num_steps, dtype="int32"),),
        dtype=dtype,
        outputs=1 if blocks.margin is None else 3,
    )
    sums = [ops.cast(x, dtype) for x in sums]
    if done:
        sums[:2] = [
            _join_keys(x, rest, blocks)
            for x, rest in zip(done, sums[:2], strict=True)
        ]
    return join_blocks(by_queries, blocks), *(_swap(x) for x in sums)


def _sums_in_sight(key, blocks):
    """Zeros for the gradients of the keys of a step, `(B, N, H, S)`."""
    batch, num_heads, size, head_dim = ops.shape(key)
    if blocks.margin is not None:
        size = (blocks.per_step - 1) * blocks.query_block + blocks.span
    return ops.zeros((batch, num_heads, head_dim, size), "float32")


def _add_and_slide(sums, found, by_queries, blocks):
    """Adds the gradients of a step, and moves on by one.

    Args:
        sums: Tuple of float32 tensors, of the keys and values in sight,
            `(B, N, H, S)`, and of the global ones, if any, `(B, N, H, G)`.
        found: Tuple of two float tensors `(B, N, blocks, H, G + span)`.
        by_queries: Float tensor `(B, N, blocks, query, H)`.
        blocks: `Blocks`.

    Returns:
        The sums for the next step, and the outputs of this one: `by_queries`
        and, where the sums slide at all, those of keys that left the sight.
    """
    in_sight, beside = sums[:2], sums[2:]
    found = [ops.cast(x, "float32") for x in found]
    if beside:
        slots = ops.shape(beside[0])[-1]
        beside = [
            x + ops.sum(y[..., :slots], axis=2)
            for x, y in zip(beside, found, strict=True)
        ]
        found = [x[..., slots:] for x in found]
    pairs = zip(in_sight, found, strict=True)
    if blocks.margin is None:
        in_sight = [x + ops.sum(y, axis=2) for x, y in pairs]
        return (*in_sight, *beside), (by_queries,)
    step = blocks.per_step * blocks.query_block
    total = [_add_spans(x, y, blocks) for x, y in pairs]
    done = [ops.cast(x[..., :step], by_queries.dtype) for x in total]
    in_sight = [_pad_last(x[..., step:], 0, step) for x in total]
    return (*in_sight, *beside), (by_queries, *done)


def _add_spans(sums, spans, blocks):
    for block in range(blocks.per_step):
        before = block * blocks.query_block
        behind = (blocks.per_step - 1) * blocks.query_block - before
        sums = sums + _pad_last(spans[:, :, block], before, behind)
    return sums


def _join_keys(done, rest, blocks):
    """`(steps, B, N, H, keys)` and those still in sight to `(B, N, H, L)`."""
    steps, batch, num_heads, head_dim, step = ops.shape(done)
    done = ops.reshape(
        ops.transpose(done, (1, 2, 3, 0, 4)),
        (batch, num_heads, head_dim, steps * step),
    )
    padded = ops.concatenate([done, rest[..., : 2 * blocks.margin]], axis=-1)
    return padded[..., blocks.margin : blocks.margin + blocks.length]


def _pad_last(x, before, behind):
    if before == behind == 0:
        return x
    return ops.pad(x, [(0, 0)] * (len(x.shape) - 1) + [(before, behind)])


def _swap(x):
    axes = tuple(range(len(x.shape)))
    return ops.transpose(x, (*axes[:-2], axes[-1], axes[-2]))

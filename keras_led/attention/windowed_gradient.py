"""The backward pass of the windowed attention, block by block.

Nothing of the forward pass is kept but its operands: the weights of a block
are computed once more, as in FlashAttention (Dao et al., 2022, section 3.1).
Derived by the framework, each block would give a gradient as long as the
document for its slice of the keys, in all the square of the length.
"""

from keras import ops

from keras_led import backend
from keras_led.attention.blocks import cut_queries
from keras_led.attention.blocks import join_blocks
from keras_led.attention.blocks import take_spans
from keras_led.attention.blocks import take_step


def attention_gradients(operands, upstream, weigh, blocks):
    """Gradients of the context by the operands of the attention.

    Args:
        operands: Tuple of query, key and value, `(B, N, L, H)`, and of global
            key and value, `(B, N, G, H)`, if there are any.
        upstream: Float tensor of shape `(B, N, L, H)`, by the context.
        weigh: Callable from queries, keys, global key and step to the weights
            of the step, in float32, and the function of their dropout.
        blocks: `Blocks`.

    Returns:
        Tuple of tensors with the shapes and dtypes of `operands`.
    """
    query, key, value, *beside = operands
    global_key, global_value = beside or (None, None)
    queries = cut_queries(query, blocks)
    upstreams = cut_queries(upstream, blocks)

    def body(step, sums):
        by_queries, by_key, by_value, *by_beside = sums
        rows, above = take_step(queries, step), take_step(upstreams, step)
        keys = take_spans(key, step, blocks, axis=2)
        values = take_spans(value, step, blocks, axis=2)
        weights, drop = weigh(rows, keys, global_key, step)
        kept = drop(ops.cast(weights, values.dtype))
        by_weights = ops.matmul(above, _swap(values))
        if beside:
            slots = ops.shape(global_value)[2]
            by_slots = ops.matmul(above, _swap(global_value)[:, :, None])
            by_weights = ops.concatenate([by_slots, by_weights], axis=-1)
        # A dropout's gradient is the same dropout.
        by_weights = ops.cast(drop(by_weights), "float32")
        mean = ops.sum(weights * by_weights, axis=-1, keepdims=True)
        by_scores = ops.cast(weights * (by_weights - mean), values.dtype)
        if beside:
            by_slots = by_scores[..., :slots]
            by_beside = [
                by_beside[0] + _over_blocks(by_slots, rows),
                by_beside[1] + _over_blocks(kept[..., :slots], above),
            ]
            by_scores, kept = by_scores[..., slots:], kept[..., slots:]
        by_rows = ops.matmul(by_scores, keys)
        if beside:
            by_rows += ops.matmul(by_slots, global_key[:, :, None])
        by_queries = backend.add_at(by_queries, by_rows[None], step, axis=0)
        by_key = _add_spans(
            by_key, ops.matmul(_swap(by_scores), rows), step, blocks
        )
        by_value = _add_spans(
            by_value, ops.matmul(_swap(kept), above), step, blocks
        )
        return by_queries, by_key, by_value, *by_beside

    sums = (ops.zeros_like(queries),) + tuple(
        ops.zeros(ops.shape(x), "float32") for x in operands[1:]
    )
    by_queries, *others = ops.fori_loop(0, blocks.num_steps, body, sums)
    return join_blocks(by_queries, blocks), *(
        ops.cast(found, x.dtype)
        for found, x in zip(others, operands[1:], strict=True)
    )


def _swap(x):
    axes = tuple(range(len(x.shape)))
    return ops.transpose(x, (*axes[:-2], axes[-1], axes[-2]))


def _over_blocks(weights, rows):
    """Sums `weights^T @ rows` over the blocks, `(B, N, G, H)`."""
    return ops.sum(
        ops.cast(ops.matmul(_swap(weights), rows), "float32"), axis=2
    )


def _add_spans(x, spans, step, blocks):
    """Adds what the key slice of each block got, `(B, N, blocks, span, H)`."""
    _, key_starts = blocks.starts(step)
    spans = ops.cast(spans, x.dtype)
    for block in range(blocks.per_step):
        x = backend.add_at(x, spans[:, :, block], key_starts[block], axis=2)
    return x

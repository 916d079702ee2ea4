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

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.blockwise.band import span_bias
from keras_led.attention.blockwise.plan import ceil_div
from keras_led.attention.blockwise.walk import join_blocks
from keras_led.attention.blockwise.walk import query_blocks
from keras_led.attention.blockwise.with_weights import weigher
from keras_led.attention.global_tokens import add_to_keys_
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.attention.blockwise.plan import Blocks
    from keras_led.attention.blockwise.plan import Settings


def attention_gradients(
    settings: "Settings",
    constants: tuple[Any, ...],
    context: Tensor,
    grad_output: Tensor,
    *operands: Tensor,
) -> tuple[Tensor, ...]:
    """Gradients of the context of the attention.

    Args:
        settings: `Settings`.
        constants: Tuple of a bool tensor `(B, L)`, `True` for the keys that a
            window may show; `GlobalSlots` or `None`; and a seed or `None`.
        context: Float tensor of shape `(B, N, L, H)`, of the forward pass.
        grad_output: Float tensor of shape `(B, N, L, H)`, of the context.
        *operands: Query, key and value, `(B, N, L, H)`, keys and values with
            a halo if `settings` say so.

    Returns:
        Tuple of tensors of the shapes of `operands`, of the dtype of the
        query.
    """
    window_keys, slots, seed = constants
    kernel = None if settings.rate else backend.attend_gradients()
    blocks = settings.plan(operands[0], kernel is None).with_margin()
    window_keys = blocks.pad_keys(window_keys, axis=1)
    if kernel is None:
        weigh = weigher((window_keys, slots, seed), blocks, settings)
        of_step = gradients_by_products(
            context, grad_output, weigh, blocks, settings.scale
        )
    else:
        bias_of = span_bias(window_keys, slots, blocks)
        of_step = gradients_by_kernel(kernel, bias_of, settings.scale)
    positions = None if slots is None else slots.positions
    return _slide(operands, positions, grad_output, of_step, blocks)


def _slide(operands, positions, grad_output, of_step, blocks):
    """Goes through the steps with the gradients of the keys in sight.

    Args:
        operands: Tuple of query, key and value, `(B, N, L, H)`.
        positions: Int32 tensor of shape `(B, G)`, of the global keys that come
            before the others, or `None`.
        grad_output: Float tensor of shape `(B, N, L, H)`, of the context.
        of_step: Callable that finds the gradients of a step, from
            `gradients_by_products` or `gradients_by_kernel`.
        blocks: `Blocks` with a margin (see `with_margin`).

    Returns:
        Tuple of tensors, as `attention_gradients`.
    """
    query, key, value = operands
    dtype = query.dtype
    beside, padded_positions = [], blocks.in_padded(positions)
    if positions is not None:
        batch, num_heads, _, head_dim = backend.shape(key)
        shape = (batch, num_heads, head_dim, backend.shape(positions)[1])
        beside = [ops.zeros(shape, "float32")] * 2
    keys_of, values_of = (
        backend.spans(blocks.pad_keys(x, axis=2), padded_positions)
        for x in (key, value)
    )
    queries_of = query_blocks(query, blocks)
    grad_output_of = query_blocks(grad_output, blocks)

    def body(sums, inputs):
        (step,) = inputs
        _, starts = blocks.starts(step)
        (keys,) = keys_of(starts, blocks.span, joined=True)
        (values,) = values_of(starts, blocks.span, joined=True)
        grad_query, *found = of_step(
            queries_of(step), keys, values, grad_output_of(step), step
        )
        return _add_and_slide(sums, found, grad_query, blocks)

    in_sight = _sums_in_sight(key, blocks)
    sums, (grad_query, *done) = backend.scan(
        body,
        (in_sight, in_sight, *beside),
        (backend.step_numbers(blocks.num_steps),),
        dtype=dtype,
        outputs=1 if blocks.margin is None else 3,
    )
    sums = [backend.cast(x, dtype) for x in sums]
    if done:
        sums[:2] = [
            _join_keys(x, rest, blocks)
            for x, rest in zip(done, sums[:2], strict=True)
        ]
    grad_key, grad_value, *beside = map(backend.swap_last, sums)
    if beside:
        grad_key, grad_value = (
            add_to_keys_(x, positions, rows)
            for x, rows in zip((grad_key, grad_value), beside, strict=True)
        )
    return join_blocks(grad_query, blocks), grad_key, grad_value


def gradients_by_products(
    context: Tensor,
    grad_output: Tensor,
    weigh: Callable[..., Any],
    blocks: "Blocks",
    scale: float,
) -> Callable[..., Any]:
    """The gradients of a step, from its weights.

    Args:
        context: Float tensor of shape `(B, N, L, H)`, of the forward pass.
        grad_output: Float tensor of shape `(B, N, L, H)`, by the context.
        weigh: Callable from queries, keys and step to the weights of the
            step, in float32, and the function of their dropout.
        blocks: `Blocks`.
        scale: float, of the scores.

    Returns:
        Callable from queries `(B, N, blocks, query, H)`, keys and values
        `(B, N, blocks, G + span, H)`, the grad_output of the queries and the
        step to the gradients by queries, of their shape, and by keys and
        values, `(B, N, blocks, H, G + span)`.
    """
    # The mean of a row's gradients under its weights, and under dropout too.
    means = ops.sum(
        backend.cast(context, "float32") * backend.cast(grad_output, "float32"),
        axis=-1,
        keepdims=True,
    )
    means_of = query_blocks(means, blocks)

    def of_step(queries, keys, values, grad_output, step):
        dtype = queries.dtype
        weights, drop = weigh(queries, keys, step)
        grad_weights = drop(backend.times_transposed(grad_output, values))
        # A dropout's gradient is the same dropout.
        grad_scores = backend.cast(grad_weights, "float32") - means_of(step)
        grad_scores = backend.cast(weights * grad_scores, dtype)
        grad_query = backend.times(grad_scores, keys) * scale
        grad_keys = ops.matmul(backend.swap_last(queries * scale), grad_scores)
        grad_values = ops.matmul(
            backend.swap_last(grad_output), drop(backend.cast(weights, dtype))
        )
        return grad_query, grad_keys, grad_values

    return of_step


def gradients_by_kernel(
    kernel: Callable[..., Any], bias_of: Callable[..., Any], scale: float
) -> Callable[..., Any]:
    """The gradients of a step by a kernel that holds no scores.

    Args:
        kernel: `backend.attend_gradients()`.
        bias_of: Callable from a step to the bias on its scores.
        scale: float, of the scores.

    Returns:
        Callable like that of `gradients_by_products`.
    """

    def of_step(queries, keys, values, grad_output, step):
        grad_query, grad_keys, grad_values = kernel(
            queries, (keys,), (values,), bias_of(step), scale, grad_output
        )
        return (
            grad_query,
            backend.swap_last(grad_keys),
            backend.swap_last(grad_values),
        )

    return of_step


def _sums_in_sight(key, blocks):
    """Zeros for the gradients of the keys of a step, `(B, N, H, S)`."""
    batch, num_heads, size, head_dim = backend.shape(key)
    if blocks.margin is not None:
        size = (blocks.per_step - 1) * blocks.query_block + blocks.span
    return ops.zeros((batch, num_heads, head_dim, size), "float32")


def _add_and_slide(sums, found, grad_query, blocks):
    """Adds the gradients of a step, and moves on by one.

    Args:
        sums: Tuple of float32 tensors, of the keys and values in sight,
            `(B, N, H, S)`, and of the global ones, if any, `(B, N, H, G)`.
        found: Tuple of two float tensors `(B, N, blocks, H, G + span)`.
        grad_query: Float tensor `(B, N, blocks, query, H)`.
        blocks: `Blocks`.

    Returns:
        The sums for the next step, and the outputs of this one: `grad_query`
        and, where the sums slide at all, those of keys that left the sight.
    """
    in_sight, beside = sums[:2], sums[2:]
    found = [backend.cast(x, "float32") for x in found]
    if beside:
        slots = backend.shape(beside[0])[-1]
        beside = [
            x + ops.sum(y[..., :slots], axis=2)
            for x, y in zip(beside, found, strict=True)
        ]
        found = [x[..., slots:] for x in found]
    pairs = zip(in_sight, found, strict=True)
    if blocks.margin is None:
        in_sight = [x + ops.sum(y, axis=2) for x, y in pairs]
        return (*in_sight, *beside), (grad_query,)
    step = blocks.per_step * blocks.query_block
    total = [_add_spans(x, y, blocks) for x, y in pairs]
    done = [backend.cast(x[..., :step], grad_query.dtype) for x in total]
    in_sight = [_pad_last(x[..., step:], 0, step) for x in total]
    return (*in_sight, *beside), (grad_query, *done)


def _add_spans(sums, spans, blocks):
    """Adds overlapping spans, `(B, N, blocks, H, span)`, where they lie.

    Cut into pieces as long as a block, the first pieces of all spans lie side
    by side, and so do the second ones: one addition for each piece of a span,
    however many blocks there are.
    """
    if blocks.per_step == 1:
        return sums + spans[:, :, 0]
    size = blocks.query_block
    pieces = 1 + ceil_div(2 * blocks.one_sided_window, size)
    filling = pieces * size - blocks.span
    spans = ops.transpose(spans, (0, 1, 3, 2, 4))  # (B, N, H, blocks, span)
    spans = _pad_last(spans, 0, filling)
    total = _pad_last(sums, 0, filling)
    for piece in range(pieces):
        before = piece * size
        part = spans[..., before : before + size]
        part = backend.reshape(
            part, (*backend.shape(sums)[:3], blocks.per_step * size)
        )
        total = total + _pad_last(part, before, pieces * size - size - before)
    return total[..., : backend.shape(sums)[-1]]


def _join_keys(done, rest, blocks):
    """`(steps, B, N, H, keys)` and those still in sight to `(B, N, H, S)`."""
    steps, batch, num_heads, head_dim, step = backend.shape(done)
    done = backend.reshape(
        ops.transpose(done, (1, 2, 3, 0, 4)),
        (batch, num_heads, head_dim, steps * step),
    )
    padded = ops.concatenate([done, rest[..., : 2 * blocks.margin]], axis=-1)
    if blocks.halo_from is not None:  # others want the gradients of the margin
        padded = padded[..., : blocks.length + 2 * blocks.margin]
        return _pad_last(padded, blocks.halo_from, 0)
    return padded[..., blocks.margin : blocks.margin + blocks.length]


def _pad_last(x, before, behind):
    if isinstance(behind, int) and before == behind == 0:
        return x
    return backend.pad(x, [(0, 0)] * (len(x.shape) - 1) + [(before, behind)])

"""Sliding-window attention with global keys, block by block.

A block of queries (see `blocks.py`) sees a slice of the keys and the global
keys, so that its scores are `query_block x (G + query_block + 2 W)`, and time
and memory grow linearly with the document. The overlapping chunks of the
peers compute twice the band and copy it to skew it.

Source: Beltagy et al., 2020, section 3.1; `LEDEncoderSelfAttention` in
transformers 5.23 for the numerics.
"""

from keras import ops

from keras_led import backend
from keras_led.attention.blocks import join_blocks
from keras_led.attention.blocks import map_queries
from keras_led.attention.blocks import map_steps
from keras_led.attention.blocks import plan_blocks
from keras_led.attention.blocks import query_blocks
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.attention.softmax import softmax
from keras_led.attention.span_bias import span_bias
from keras_led.attention.windowed_gradient import attention_gradients
from keras_led.attention.windowed_gradient import gradients_by_kernel
from keras_led.attention.windowed_gradient import gradients_by_products


def windowed_attention(
    query,
    key,
    value,
    padding_mask,
    attention_window,
    global_tokens=None,
    scale=1.0,
    rate=0.0,
    seed=None,
    layout=None,
    return_weights=False,
):
    """Attends to a sliding window and to the global keys, in one softmax.

    Args:
        query: Float tensor of shape `(B, N, L, H)`.
        key: Float tensor of shape `(B, N, L, H)`.
        value: Float tensor of shape `(B, N, L, H)`.
        padding_mask: Bool tensor of shape `(B, L)`; `True` is a real token.
        attention_window: int, in tokens, both sides together; even.
        global_tokens: `GlobalTokens`, or `None` for no global token.
        scale: float that multiplies the scores.
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
    blocks = plan_blocks(
        query, attention_window, layout or backend.block_layout()
    )
    plain = plan_blocks(
        query,
        attention_window,
        layout or backend.block_layout(holds_scores=False),
        fitted=backend.shapes_may_vary(),
    )
    window_keys = padding_mask  # a window shows those that are not global
    if global_tokens is not None:
        window_keys = window_keys & ~global_tokens.mask
    operands = (query, key, value)
    constants = (window_keys, global_tokens, seed)
    if return_weights:
        slots = None if global_tokens is None else global_tokens.slots
        weigh = _weigher((window_keys, slots, seed), blocks, rate, scale)
        return _attend_with_weights(operands, slots, weigh, blocks)

    drops = rate > 0 and seed is not None
    kernel = None if drops else backend.attend_gradients()

    def attend(constants, *operands):
        if not drops:
            return _attend(constants, operands, plain, scale)
        _, slots, _ = constants
        weigh = _weigher(constants, blocks, rate, scale)
        return _attend_with_weights(operands, slots, weigh, blocks, False)[0]

    def derive(constants, context, upstream, *operands):
        window_keys, slots, seed = constants
        padded = (blocks if kernel is None else plain).with_margin()
        window_keys = padded.pad_keys(window_keys, axis=1)
        if kernel is None:
            weigh = _weigher((window_keys, slots, seed), padded, rate, scale)
            of_step = gradients_by_products(
                context, upstream, weigh, padded, scale
            )
        else:
            bias_of = _bias(window_keys, slots, padded)
            of_step = gradients_by_kernel(kernel, bias_of, scale)
        positions = None if slots is None else slots.positions
        return attention_gradients(
            operands, positions, upstream, of_step, padded
        )

    def forward(constants, *operands):
        context = _with_slots(attend, constants, operands)
        return context, (context, *operands)

    def backward(constants, kept, upstream):
        context, *operands = kept
        return _with_slots(derive, constants, (context, upstream, *operands))

    attention = backend.custom_gradient(forward, backward, constants)
    return attention(*operands), None


def _with_slots(function, constants, operands):
    """Calls a function with slots in place of the global tokens."""
    window_keys, global_tokens, seed = constants
    if global_tokens is None:
        return function((window_keys, None, seed), *operands)

    def call(slots, *operands):
        return function((window_keys, slots, seed), *operands)

    return global_tokens.with_slots(call, operands)


def _attend(constants, operands, blocks, scale):
    """The context alone, `(B, N, L, H)`, without dropout."""
    window_keys, slots, _ = constants
    query, key, value = operands
    positions = None if slots is None else slots.positions
    bias_of = _bias(window_keys, slots, blocks)
    keys_of = backend.key_spans(key, positions)
    values_of = backend.spans(value, positions)

    def attend_step(queries, step, heads):
        _, starts = blocks.starts(step)
        span = blocks.span_at(step)
        return backend.attend(
            queries,
            keys_of(starts, span, heads),
            values_of(starts, span, heads),
            bias_of(step),
            scale,
        )

    return map_queries(attend_step, query, blocks)


def _weigher(constants, blocks, rate, scale):
    """How a step weighs its keys.

    Returns:
        Callable from queries `(B, N, blocks, query, H)`, keys
        `(B, N, blocks, G + span, H)` and the step to the weights, in float32,
        and the function of their dropout.
    """
    window_keys, slots, seed = constants
    bias_of = _bias(window_keys, slots, blocks)

    def weigh(queries, keys, step):
        weights = softmax(backend.scores(queries, keys, bias_of(step), scale))
        step_seed = fold_seed(seed, step)
        return weights, lambda x: dropout(x, rate, step_seed)

    return weigh


def _bias(window_keys, slots, blocks):
    valid = None if slots is None else slots.valid
    return span_bias(window_keys, valid, blocks)


def _attend_with_weights(operands, slots, weigh, blocks, return_weights=True):
    query, key, value = operands
    positions = None if slots is None else slots.positions
    queries_of = query_blocks(query, blocks)
    keys_of = backend.spans(key, positions)
    values_of = backend.spans(value, positions)

    def attend_step(step):
        _, starts = blocks.starts(step)
        (keys,) = keys_of(starts, blocks.span, joined=True)
        weights, drop = weigh(queries_of(step), keys, step)
        weights = drop(ops.cast(weights, value.dtype))
        (values,) = values_of(starts, blocks.span, joined=True)
        context = backend.times(weights, values)
        if not return_weights:
            return context
        return context, _window_layout(weights, step, blocks)

    outputs = map_steps(attend_step, blocks)
    if not return_weights:
        return join_blocks(outputs, blocks), None
    return tuple(join_blocks(output, blocks) for output in outputs)


def _window_layout(weights, step, blocks):
    """Skews the weights of a key slice to window slots, as the peer's."""
    starts, key_starts = blocks.starts(step)
    num_global = ops.shape(weights)[-1] - blocks.span
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

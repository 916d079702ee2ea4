"""Sliding-window attention with global keys, block by block.

A block of queries (see `blocks.py`) sees a slice of the keys and the global
keys, so that its scores are `query_block x (G + query_block + 2 W)`, and time
and memory grow linearly with the document. The overlapping chunks of the
peers compute twice the band and copy it to skew it.

Source: Beltagy et al., 2020, section 3.1; `LEDEncoderSelfAttention` in
transformers 5.23 for the numerics.
"""

import functools
from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.attention.blocks import block_mask
from keras_led.attention.blocks import cut_queries
from keras_led.attention.blocks import join_blocks
from keras_led.attention.blocks import key_spans
from keras_led.attention.blocks import map_steps
from keras_led.attention.blocks import plan_blocks
from keras_led.attention.blocks import value_spans
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.attention.softmax import masked_softmax
from keras_led.attention.windowed_gradient import attention_gradients


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
    blocks = plan_blocks(
        query, attention_window, layout or backend.block_layout()
    )
    operands = (query, key, value)
    valid = None
    if global_keys is not None:
        operands += (global_keys.key, global_keys.value)
        valid = global_keys.valid

    constants = (window_keys, valid, seed)

    def weigh(constants, blocks, queries, keys, step):
        """Weights of a step, and their dropout, a function."""
        window_keys, valid, seed = constants
        mask = _mask(window_keys, valid, step, blocks)
        weights = masked_softmax(ops.matmul(queries, keys), mask)
        step_seed = fold_seed(seed, step)
        return weights, lambda x: dropout(x, rate, step_seed)

    if return_weights:
        weigh_step = functools.partial(weigh, constants, blocks)
        return _attend(operands, weigh_step, blocks, return_weights=True)

    def forward(constants, *operands):
        weigh_step = functools.partial(weigh, constants, blocks)
        context, _ = _attend(operands, weigh_step, blocks)
        return context, (context, *operands)

    def backward(constants, kept, upstream):
        padded = blocks.with_margin()
        window_keys, *others = constants
        constants = (padded.pad_keys(window_keys, axis=1), *others)
        weigh_step = functools.partial(weigh, constants, padded)
        context, *operands = kept
        return attention_gradients(
            context, operands, upstream, weigh_step, padded
        )

    attend = backend.custom_gradient(forward, backward, constants)
    return attend(*operands), None


def _attend(operands, weigh, blocks, return_weights=False):
    query, key, value, *beside = operands
    keys_of = key_spans(key, *beside[:1])
    values_of = value_spans(value, *beside[1:])

    def attend_step(inputs):
        queries, step = inputs
        weights, drop = weigh(queries, keys_of(step, blocks), step)
        weights = drop(ops.cast(weights, value.dtype))
        context = ops.matmul(weights, values_of(step, blocks))
        if not return_weights:
            return context
        return context, _window_layout(weights, step, blocks)

    steps = ops.arange(blocks.num_steps, dtype="int32")
    outputs = map_steps(attend_step, (cut_queries(query, blocks), steps))
    if not return_weights:
        return join_blocks(outputs, blocks), None
    return tuple(join_blocks(output, blocks) for output in outputs)


def _mask(window_keys, valid, step, blocks):
    """`True` for what a query may see, `(B, 1, blocks, query, G + span)`."""
    mask = block_mask(window_keys, step, blocks)
    if valid is None:
        return mask
    batch, _, num_blocks, query_block, _ = ops.shape(mask)
    shape = (batch, 1, num_blocks, query_block, ops.shape(valid)[1])
    beside = ops.broadcast_to(valid[:, None, None, None, :], shape)
    return ops.concatenate([beside, mask], axis=-1)


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

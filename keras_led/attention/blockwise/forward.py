"""The context of every query, block by block, with a gradient of its own."""

import functools
from typing import TYPE_CHECKING
from typing import Any

from keras_led import backend
from keras_led.attention.blockwise.backward import attention_gradients
from keras_led.attention.blockwise.band import span_bias
from keras_led.attention.blockwise.walk import map_queries
from keras_led.attention.blockwise.with_weights import attend_with_dropout
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.attention.blockwise.plan import Settings


def attend(
    operands: tuple[Tensor, Tensor, Tensor],
    constants: tuple[Any, ...],
    settings: "Settings",
) -> Tensor:
    """Attends without returning the weights.

    Args:
        operands: Tuple of query, key and value, `(B, N, L, H)`, keys and
            values with a halo if `settings` say so.
        constants: Tuple of a bool tensor `(B, L)`, as long as the keys, `True`
            for those that a window may show, `GlobalTokens` or `None`, and a
            seed or `None`.
        settings: `Settings`.

    Returns:
        Float tensor of shape `(B, N, L, H)`.
    """
    of_slots = attend_with_dropout if settings.rate else _attend_fused

    def forward(constants, *operands):
        context = _with_slots(of_slots, settings, constants, operands)
        return context, (context, *operands)

    def backward(constants, kept, grad_output):
        context, *operands = kept
        operands = (context, grad_output, *operands)
        return _with_slots(attention_gradients, settings, constants, operands)

    return backend.custom_gradient(forward, backward, constants)(*operands)


def _with_slots(function, settings, constants, operands):
    """Calls a function with slots in place of the global tokens."""
    window_keys, global_tokens, seed = constants
    function = functools.partial(function, settings)
    if global_tokens is None:
        return function((window_keys, None, seed), *operands)

    def call(slots, *operands):
        return function((window_keys, slots, seed), *operands)

    return global_tokens.with_slots(call, operands)


def _attend_fused(settings, constants, query, key, value):
    """The context without dropout, by what the backend has fused."""
    window_keys, slots, _ = constants
    blocks = settings.plan(query, holds_scores=False)
    positions = None if slots is None else slots.positions
    bias_of = span_bias(blocks.pad_keys(window_keys, axis=1), slots, blocks)
    # Without a halo, nothing is padded.
    positions = blocks.in_padded(positions)
    keys_of = backend.key_spans(blocks.pad_keys(key, axis=2), positions)
    values_of = backend.spans(blocks.pad_keys(value, axis=2), positions)

    def attend_step(queries, step, heads):
        _, starts = blocks.starts(step)
        span = blocks.span_at(step)
        return backend.attend(
            queries,
            keys_of(starts, span, heads),
            values_of(starts, span, heads),
            bias_of(step),
            settings.scale,
        )

    return map_queries(attend_step, query, blocks)

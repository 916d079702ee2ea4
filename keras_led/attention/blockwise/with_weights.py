"""Attention by its weights: where they are dropped out, or wanted."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.blockwise.band import span_bias
from keras_led.attention.blockwise.walk import join_blocks
from keras_led.attention.blockwise.walk import map_steps
from keras_led.attention.blockwise.walk import query_blocks
from keras_led.attention.dropout import dropout
from keras_led.attention.dropout import fold_seed
from keras_led.attention.softmax import softmax
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.attention.blockwise.plan import Blocks
    from keras_led.attention.blockwise.plan import Settings


def weigher(
    constants: tuple[Any, ...], blocks: "Blocks", settings: "Settings"
) -> Callable[..., Any]:
    """How a step weighs its keys.

    Args:
        constants: Tuple of a bool tensor `(B, L)`, `True` for the keys that a
            window may show, with the margin of `blocks`, if it has one;
            `GlobalSlots` or `None`; and a seed or `None`.
        blocks: `Blocks`.
        settings: `Settings`.

    Returns:
        Callable from queries `(B, N, blocks, query, H)`, keys
        `(B, N, blocks, G + span, H)` and the step to the weights, in float32,
        and the function of their dropout.
    """
    window_keys, slots, seed = constants
    bias_of = span_bias(window_keys, slots, blocks)

    def weigh(queries, keys, step):
        scores = backend.scores(queries, keys, bias_of(step), settings.scale)
        step_seed = fold_seed(seed, step)
        return softmax(scores), lambda x: dropout(x, settings.rate, step_seed)

    return weigh


def attend_with_weights(
    operands: tuple[Tensor, Tensor, Tensor],
    constants: tuple[Any, ...],
    settings: "Settings",
) -> tuple[Tensor, Tensor]:
    """Attends, and returns the weights too.

    Args:
        operands: Tuple of query, key and value, `(B, N, L, H)`.
        constants: As of `weigher`, without a margin.
        settings: `Settings`.

    Returns:
        Tuple of the context, `(B, N, L, H)`, and the weights,
        `(B, N, L, G + attention_window + 1)`.
    """
    blocks = settings.plan(operands[0], holds_scores=True)
    attend_step = _attention_of_step(operands, constants, blocks, settings)

    def with_window(step):
        context, weights = attend_step(step)
        return context, _window_layout(weights, step, blocks)

    outputs = map_steps(with_window, blocks)
    return tuple(join_blocks(output, blocks) for output in outputs)


def attend_with_dropout(
    settings: "Settings", constants: tuple[Any, ...], *operands: Tensor
) -> Tensor:
    """The context alone; arguments as of `attend_with_weights`."""
    # The backward pass draws the same noise for the same spans.
    blocks = settings.plan(operands[0], holds_scores=True).with_margin()
    attend_step = _attention_of_step(operands, constants, blocks, settings)
    return join_blocks(
        map_steps(lambda step: attend_step(step)[0], blocks), blocks
    )


def _attention_of_step(operands, constants, blocks, settings):
    """How a step attends: from its number to its context and weights."""
    query, key, value = operands
    window_keys, slots, seed = constants
    positions = None if slots is None else slots.positions
    positions = blocks.in_padded(positions)
    # Without a margin, nothing is padded.
    window_keys = blocks.pad_keys(window_keys, axis=1)
    weigh = weigher((window_keys, slots, seed), blocks, settings)
    queries_of = query_blocks(query, blocks)
    keys_of, values_of = (
        backend.spans(blocks.pad_keys(x, axis=2), positions)
        for x in (key, value)
    )

    def attend_step(step):
        _, starts = blocks.starts(step)
        (keys,) = keys_of(starts, blocks.span, joined=True)
        weights, drop = weigh(queries_of(step), keys, step)
        weights = drop(backend.cast(weights, value.dtype))
        (values,) = values_of(starts, blocks.span, joined=True)
        return backend.times(weights, values), weights

    return attend_step


def _window_layout(weights, step, blocks):
    """Skews the weights of a span to window slots, as Hugging Face's."""
    starts, key_starts = blocks.starts(step)
    num_global = backend.shape(weights)[-1] - blocks.span
    offsets = ops.arange(blocks.query_block, dtype="int32")
    slots = ops.arange(2 * blocks.one_sided_window + 1, dtype="int32")
    first = starts - blocks.one_sided_window - key_starts  # (blocks,)
    index = first[:, None, None] + offsets[None, :, None] + slots
    inside = (index >= 0) & (index < blocks.span)  # (blocks, query, slots)
    index = ops.clip(index, 0, blocks.span - 1)[None, None]
    index = ops.broadcast_to(
        index, (*backend.shape(weights)[:2], *backend.shape(index)[2:])
    )
    window = ops.take_along_axis(weights[..., num_global:], index, axis=-1)
    window = ops.where(inside, window, ops.zeros((), dtype=weights.dtype))
    return ops.concatenate([weights[..., :num_global], window], axis=-1)

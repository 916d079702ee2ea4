"""Which keys of its span a query may see, as a bias on the scores."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from keras import ops

from keras_led import backend
from keras_led.attention.blockwise.walk import take_rows
from keras_led.attention.softmax import KEPT_SCORE
from keras_led.attention.softmax import MASKED_SCORE
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.attention.blockwise.plan import Blocks
    from keras_led.attention.global_tokens import GlobalSlots

# Two of them, for a key out of the window that is padding too, are finite, in
# bfloat16 too, where the least float32 number is infinite.
_MASKED = MASKED_SCORE / 4


def span_bias(
    window_keys: Tensor, slots: "GlobalSlots | None", blocks: "Blocks"
) -> Callable[[Tensor], Tensor]:
    """Prepares the bias of every step.

    Args:
        window_keys: Bool tensor of shape `(B, L)`, `True` for the keys that a
            window may show, with the margin of `blocks`, if it has one.
        slots: `GlobalSlots` of the global keys, or `None` for none.
        blocks: `Blocks`.

    Returns:
        Callable from a step, an int32 scalar tensor, to a float32 tensor of
        shape `(B, 1, blocks, query, G + span)`, or 1 in place of `B`: 0 where
        a query may see a key, else so low that the key has no weight.
    """
    valid = None if slots is None else slots.valid
    of_step = _by_step(window_keys, valid, blocks)
    if not blocks.trimmed_spans or not backend.is_concrete(window_keys):
        return of_step
    # Most blocks see all keys of their windows: theirs is the same for all.
    of_inner = _of_inner_blocks(valid, blocks)
    every_slot = True if valid is None else ops.all(valid)

    def of_step_or_inner(step):
        starts, key_starts = blocks.starts(step)
        span = blocks.span_at(step)
        seen = take_rows(window_keys, key_starts, span, axis=1)
        inner = ops.all(starts - key_starts == blocks.one_sided_window)
        return backend.cond(
            inner & ops.all(seen) & every_slot,
            lambda: of_inner(span),
            lambda: of_step(step),
            (),
        )

    return of_step_or_inner


def _by_step(window_keys, valid, blocks):
    """The bias of any step, put together from windows, keys and slots."""
    by_key = _bias(window_keys)
    by_slot = None if valid is None else _bias(valid)
    band = _band(blocks)

    def of_step(step):
        starts, key_starts = blocks.starts(step)
        # The further the span starts before the block, the further left does
        # it read the band.
        begins = _reach(blocks) - (starts - key_starts)
        begins = ops.maximum(begins, 0)  # of blocks behind the document
        span = blocks.span_at(step)
        in_band = take_rows(band, begins, span, axis=1)
        in_band = ops.transpose(in_band, (1, 0, 2))  # (blocks, query, span)
        keys = take_rows(by_key, key_starts, span, axis=1)
        bias = (in_band[None] + keys[:, :, None, :])[:, None]
        if by_slot is None:
            return bias
        batch, _, num_blocks, query_block, _ = backend.shape(bias)
        shape = (batch, 1, num_blocks, query_block, backend.shape(by_slot)[1])
        beside = ops.broadcast_to(by_slot[:, None, None, None, :], shape)
        return ops.concatenate([beside, bias], axis=-1)

    return of_step


def _of_inner_blocks(valid, blocks):
    """The bias of a block whose span starts as far before it as its window.

    Returns:
        Callable from how many keys it has, all seen, to a float32 tensor
        `(1, 1, 1, query, G + keys)`.
    """
    window = _band(blocks)[:, _reach(blocks) - blocks.one_sided_window :]
    slots = 0 if valid is None else backend.shape(valid)[1]
    table = ops.pad(window, ((0, 0), (slots, 0)))[None, None, None]
    return lambda keys: table[..., : slots + keys]


def _reach(blocks):
    """The furthest that a span may start before its block, in tokens."""
    return 2 * blocks.one_sided_window + blocks.query_block


def _band(blocks):
    """The window of each query of a block, `(query, span + reach)`.

    Read from column `reach - offset`, it belongs to a span that starts
    `offset` tokens before the block.
    """
    reach = _reach(blocks)
    queries = ops.arange(blocks.query_block, dtype="int32") + reach
    keys = ops.arange(blocks.span + reach, dtype="int32")
    distance = ops.abs(queries[:, None] - keys[None, :])
    return _bias(distance <= blocks.one_sided_window)


def _bias(visible):
    return backend.number_where(visible, KEPT_SCORE, _MASKED)

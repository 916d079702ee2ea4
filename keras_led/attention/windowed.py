"""Sliding-window attention with global keys, in one softmax.

Source: Beltagy et al., 2020, section 3.1; `LEDEncoderSelfAttention` in
transformers 5.23 for the numerics.
"""

from typing import TYPE_CHECKING

from keras import ops

from keras_led.attention.blockwise.forward import attend
from keras_led.attention.blockwise.plan import Settings
from keras_led.attention.blockwise.with_weights import attend_with_weights
from keras_led.attention.global_tokens import GlobalSlots
from keras_led.attention.global_tokens import GlobalTokens
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.block_layout import BlockLayout


def windowed_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    padding_mask: Tensor,
    attention_window: int,
    global_tokens: GlobalTokens | None = None,
    scale: float = 1.0,
    rate: float = 0.0,
    seed: Tensor | None = None,
    layout: "BlockLayout | None" = None,
    return_weights: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attends to a sliding window and to the global keys, in one softmax.

    The document is worked on block by block (see `blockwise`), so that time
    and memory grow linearly with its length.

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
    window_keys = padding_mask  # a window shows those that are not global
    if global_tokens is not None:
        window_keys = window_keys & ~global_tokens.mask
    settings = Settings(
        attention_window, scale, 0.0 if seed is None else rate, layout
    )
    operands = (query, key, value)
    if not return_weights:
        return attend(
            operands, (window_keys, global_tokens, seed), settings
        ), None
    slots = None if global_tokens is None else global_tokens.slots
    return attend_with_weights(operands, (window_keys, slots, seed), settings)


def attend_with_halo(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window_keys: Tensor,
    attention_window: int,
    beside: tuple[Tensor, Tensor, Tensor] | None = None,
    scale: float = 1.0,
    rate: float = 0.0,
    seed: Tensor | None = None,
    layout: "BlockLayout | None" = None,
) -> Tensor:
    """`windowed_attention` for the queries of a part of the document.

    Its keys reach `W` tokens further on both sides, and the global keys, which
    may lie anywhere in the document, are given beside them.

    Args:
        query: Float tensor of shape `(B, N, L, H)`.
        key: Float tensor of shape `(B, N, W + L + W, H)`.
        value: Float tensor of shape `(B, N, W + L + W, H)`.
        window_keys: Bool tensor of shape `(B, W + L + W)`, `True` for a key
            that a window may show: a real token that is not global.
        attention_window: int, in tokens, both sides together, `2 W`.
        beside: Tuple of the global keys and values, `(B, N, G, H)`, and which
            of them are used, bool `(B, G)`; `None` for none.
        scale: float that multiplies the scores.
        rate: float in `[0, 1)`, dropout probability of the weights.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.
        layout: `BlockLayout`; by default the one for the device.

    Returns:
        Tensor of shape `(B, N, L, H)`.
    """
    slots, tokens = 0, None
    if beside is not None:
        # They become the first keys, which no window shows.
        *global_pair, valid = beside
        slots = ops.shape(valid)[1]
        key, value = (
            ops.concatenate([first, x], axis=2)
            for first, x in zip(global_pair, (key, value), strict=True)
        )
        window_keys = ops.pad(window_keys, ((0, 0), (slots, 0)))
        places = ops.arange(slots, dtype="int32")[None]
        places = ops.broadcast_to(places, ops.shape(valid))
        tokens = GlobalTokens(None, GlobalSlots(places, valid))
    settings = Settings(
        attention_window,
        scale,
        0.0 if seed is None else rate,
        layout,
        halo_from=slots,
    )
    return attend((query, key, value), (window_keys, tokens, seed), settings)

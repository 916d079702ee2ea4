"""Keys and values that the decoder keeps from one token to the next."""

from keras import ops

from keras_led import backend
from keras_led.typing import Tensor


def append(
    cached: tuple[Tensor, Tensor] | None, new: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Puts new keys and values behind those of a growing cache.

    Args:
        cached: Tuple of two tensors of shape `(B, N, T_past, H)`, or `None`.
        new: Tuple of two tensors of shape `(B, N, T, H)`.

    Returns:
        Tuple of two tensors of shape `(B, N, T_past + T, H)`.
    """
    if cached is None:
        return new
    return tuple(
        ops.concatenate([backend.cast(old, fresh.dtype), fresh], axis=2)
        for old, fresh in zip(cached, new, strict=True)
    )


def write(
    cached: tuple[Tensor, Tensor],
    new: tuple[Tensor, Tensor],
    index: int | Tensor,
) -> tuple[Tensor, Tensor]:
    """Writes new keys and values into their slots of a fixed-size cache.

    Args:
        cached: Tuple of two tensors of shape `(B, N, max_length, H)`.
        new: Tuple of two tensors of shape `(B, N, T, H)`.
        index: int or int32 scalar tensor, slot of the first new token.

    Returns:
        Tuple of two tensors of the shape of `cached`.
    """
    return tuple(
        backend.write_slice(
            slots, index, backend.cast(fresh, slots.dtype), axis=2
        )
        for slots, fresh in zip(cached, new, strict=True)
    )

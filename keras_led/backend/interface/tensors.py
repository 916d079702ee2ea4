"""Operations of `keras.ops` that a step calls hundreds of times.

On PyTorch at once: `keras.ops` looks for placeholders in its arguments first,
which takes longer than the operation, a fifth of a small training step in all.
"""

from typing import Any

from keras_led.typing import Tensor


def cast(x: Any, dtype: str) -> Tensor:
    """`ops.cast`."""
    raise NotImplementedError


def pad(x: Any, pad_width: Any) -> Tensor:
    """`ops.pad` with zeros; `pad_width` is a sequence of pairs."""
    raise NotImplementedError


def reshape(x: Any, newshape: Any) -> Tensor:
    """`ops.reshape`."""
    raise NotImplementedError


def shape(x: Any) -> tuple[Any, ...]:
    """`ops.shape`."""
    raise NotImplementedError


def swap_last(x: Tensor) -> Tensor:
    """Swaps the last two axes, in any number of them."""
    raise NotImplementedError

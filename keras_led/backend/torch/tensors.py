"""Operations of `keras.ops`, at once where they get a tensor."""

from typing import Any

import keras
import torch
from keras import ops

from keras_led.typing import Tensor


def cast(x: Any, dtype: Any) -> Tensor:
    if isinstance(dtype, str):
        dtype = getattr(torch, dtype)
    if not isinstance(dtype, torch.dtype):  # numpy's
        return ops.cast(x, dtype)
    return as_tensor(x).to(dtype)


def reshape(x: Any, newshape: Any) -> Tensor:
    return as_tensor(x).reshape(newshape)


def pad(x: Any, pad_width: Any) -> Tensor:
    widths = [int(n) for pair in reversed(pad_width) for n in pair]
    return torch.nn.functional.pad(as_tensor(x), widths)


def shape(x: Any) -> tuple[Any, ...]:
    return tuple(x.shape)


def swap_last(x: Tensor) -> Tensor:
    return as_tensor(x).transpose(-1, -2)


def as_tensor(x: Any) -> Tensor:
    """`ops.convert_to_tensor` of a weight, or of what one is made of."""
    if isinstance(x, keras.Variable):
        return x.value
    return x if torch.is_tensor(x) else ops.convert_to_tensor(x)

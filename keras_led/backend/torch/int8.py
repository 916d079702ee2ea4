"""Products with int8 matrices of PyTorch on a CPU.

oneDNN multiplies int8 two to five times as fast as float32 where the processor
has instructions that add in 32 bits (VNNI, AMX). Without them it adds pairs in
16 bits, which overflow in silence.
"""

import functools

import torch

from keras_led.typing import Tensor

FEW_ROWS, MANY_ROWS = 4, 64


def product(x: Tensor, kernel: Tensor) -> Tensor:
    """`x @ kernel`, exact where `is_exact`, else as exact as float sums.

    Args:
        x: Float tensor of shape `(M, I)`, whole numbers from -127 to 127.
        kernel: Int8 tensor of shape `(I, O)`.

    Returns:
        Tensor of shape `(M, O)` and the dtype of `x`.
    """
    if is_exact():
        return _multiply(x.to(torch.int8), kernel).to(x.dtype)
    # The sums may be above the largest float16.
    dtype = torch.float32 if x.dtype == torch.float16 else x.dtype
    return (x.to(dtype) @ kernel.to(dtype)).to(x.dtype)


def _multiply(x, kernel):
    # A private name, in PyTorch since 2.0: its own quantization calls it.
    return torch.ops.aten._int_mm(x, kernel)


@functools.cache
def is_exact() -> bool:
    """Whether the largest int8 numbers are summed up without an overflow."""
    if not hasattr(torch.ops.aten, "_int_mm"):
        return False
    kernel = torch.full((256, 64), -127, dtype=torch.int8)
    sums = [
        _multiply(torch.full((rows, 256), 127, dtype=torch.int8), kernel)
        for rows in (FEW_ROWS, MANY_ROWS)
    ]
    return all(bool((found == -(127**2) * 256).all()) for found in sums)

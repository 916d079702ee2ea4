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
    """`x @ kernel`, where `is_exact`.

    Args:
        x: Float tensor of shape `(M, I)`, whole numbers from -127 to 127.
        kernel: Int8 tensor of shape `(I, O)`.

    Returns:
        Float32 tensor of shape `(M, O)`.
    """
    return _multiply(x.to(torch.int8), kernel).to(torch.float32)


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

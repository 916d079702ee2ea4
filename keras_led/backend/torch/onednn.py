"""Float32 matrix products of PyTorch by oneDNN, on processors of AMD.

PyTorch hands float32 products on a CPU to MKL, which does not use the widest
instructions where Intel did not make the processor. oneDNN, which every build
for x86 has too, does: 460 GFLOP/s and 210 by MKL on two cores of an AMD EPYC
with AVX-512. Without these instructions MKL is faster: 70 GFLOP/s on a core,
oneDNN 56. PyTorch calls oneDNN by itself for bfloat16 alone.
"""

import functools

import torch

from keras_led.typing import Tensor


def takes(x: Tensor, kernel: Tensor) -> bool:
    """Whether `product` of two tensors is for oneDNN.

    `torch.backends.mkldnn.enabled = False` turns it off.
    """
    return (  # pyright: ignore[reportReturnType]
        x.dtype == kernel.dtype == torch.float32
        and x.device.type == kernel.device.type == "cpu"
        and x.numel() > 0
        and is_faster()
        and torch.backends.mkldnn.enabled
    )


def product(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """`x @ kernel + bias`.

    Args:
        x: Float32 tensor of shape `(..., I)`.
        kernel: Float32 tensor of shape `(I, O)`, in any layout.
        bias: Float32 tensor of shape `(O,)`, or `None`.

    Returns:
        Float32 tensor of shape `(..., O)`.
    """
    if torch.is_grad_enabled():
        return _Product.apply(x, kernel, bias)
    return _product(x, kernel, bias)


def _product(x, kernel, bias=None):
    # A private name, in PyTorch since 2.0: its compiler calls it for the same
    # purpose. "none" is the activation.
    run = torch.ops.mkldnn._linear_pointwise
    return run(x, kernel.t(), bias, "none", [], "")


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, kernel, bias):
        ctx.save_for_backward(x, kernel)
        return _product(x, kernel, bias)

    @staticmethod
    def backward(ctx, grad_output):
        x, kernel = ctx.saved_tensors
        grad_x = grad_kernel = grad_bias = None
        rows = grad_output.flatten(0, -2)
        if ctx.needs_input_grad[0]:
            grad_x = product(grad_output, kernel.t())
        if ctx.needs_input_grad[1]:
            grad_kernel = _grad_kernel(x.flatten(0, -2), rows)
        if ctx.needs_input_grad[2]:
            grad_bias = rows.sum(0)
        return grad_x, grad_kernel, grad_bias


def _grad_kernel(x, grad_output):
    # oneDNN wants the first factor row by row: copying a wide `x` would take
    # the time that it saves.
    narrow = x.shape[1] <= grad_output.shape[1]
    return product(x.t(), grad_output) if narrow else x.t() @ grad_output


def is_available() -> bool:
    """Whether this build of PyTorch has oneDNN, and a way to call it."""
    built_in = torch.backends.mkldnn.is_available()
    return built_in and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@functools.cache
def is_faster() -> bool:
    """Whether oneDNN is there and multiplies faster than MKL."""
    return is_available() and _made_by_amd_with_avx512()


def _made_by_amd_with_avx512():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            words = set(file.read().split())
    except OSError:  # not Linux
        return False
    return {"AuthenticAMD", "avx512f"} <= words

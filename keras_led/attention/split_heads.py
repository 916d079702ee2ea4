"""Between the hidden dimension and the attention heads."""

from keras_led import backend
from keras_led.typing import Tensor


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Cuts the hidden dimension into heads, `(B, T, D) -> (B, N, T, H)`."""
    batch, length = backend.shape(x)[:2]
    head_dim = x.shape[-1] // num_heads
    x = backend.reshape(x, (batch, length, num_heads, head_dim))
    return backend.transpose(x, (0, 2, 1, 3))


def merge_heads(x: Tensor) -> Tensor:
    """Joins the heads to a hidden dimension, `(B, N, T, H) -> (B, T, D)`."""
    batch, num_heads, length, head_dim = backend.shape(x)
    x = backend.transpose(x, (0, 2, 1, 3))
    return backend.reshape(x, (batch, length, num_heads * head_dim))


def scale_heads(x: Tensor, head_mask: Tensor | None) -> Tensor:
    """Multiplies each head of `x` by its entry of `head_mask`.

    A head mask multiplies the attention weights; the output is linear in
    them, so it may multiply either.

    Args:
        x: Float tensor of shape `(B, N, ...)`, rank 4.
        head_mask: Float tensor of shape `(N,)`, or `None` for ones.
    """
    if head_mask is None:
        return x
    return x * backend.reshape(backend.cast(head_mask, x.dtype), (1, -1, 1, 1))

"""Layer normalization."""

from typing import Any

from keras_led.typing import Tensor


def layer_norm(x: Tensor, gamma: Any, beta: Any, epsilon: float) -> Tensor:
    """Normalizes the last axis to mean 0 and variance 1, then scales it.

    XLA makes few passes of it and PyTorch has a kernel; TensorFlow has one on
    a CPU with oneDNN, but no operation to call it by (led-base, 4,096 tokens:
    0.6 ms, and 2.9 ms for `ops.layer_normalization`).

    Args:
        x: Float tensor of shape `(..., D)`.
        gamma: Float tensor or variable of shape `(D,)`, the scale.
        beta: Float tensor or variable of shape `(D,)`, the offset.
        epsilon: float, added to the variance.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    raise NotImplementedError

"""Layer normalization of JAX, which XLA makes few passes of."""

from typing import Any

from keras import ops

from keras_led.typing import Tensor


def layer_norm(x: Tensor, gamma: Any, beta: Any, epsilon: float) -> Tensor:
    normalized = ops.layer_normalization(x, gamma, beta, -1, epsilon)
    return normalized.astype(x.dtype)

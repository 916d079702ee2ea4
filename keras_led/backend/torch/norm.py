"""Layer normalization of PyTorch, by its own kernel."""

from typing import Any

import torch
from keras import ops

from keras_led.typing import Tensor


def layer_norm(x: Tensor, gamma: Any, beta: Any, epsilon: float) -> Tensor:
    gamma, beta = (
        ops.cast(ops.convert_to_tensor(weight), x.dtype)
        for weight in (gamma, beta)
    )
    return torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, epsilon)

"""Layer normalization of PyTorch, by its own kernel."""

from typing import Any

import torch

from keras_led.backend.torch.tensors import as_tensor
from keras_led.typing import Tensor


def layer_norm(x: Tensor, gamma: Any, beta: Any, epsilon: float) -> Tensor:
    gamma, beta = (as_tensor(weight).to(x.dtype) for weight in (gamma, beta))
    return torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, epsilon)

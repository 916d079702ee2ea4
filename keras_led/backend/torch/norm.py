"""Layer normalization of PyTorch, by its own kernel."""

import torch
from keras import ops


def layer_norm(x, gamma, beta, epsilon):
    gamma, beta = (
        ops.cast(ops.convert_to_tensor(weight), x.dtype)
        for weight in (gamma, beta)
    )
    return torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, epsilon)

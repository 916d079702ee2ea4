"""The activation functions that a checkpoint's config may name."""

from collections.abc import Callable

from keras import activations
from keras import ops

from keras_led import backend
from keras_led.typing import Tensor


def _quick_gelu(x):
    return x * ops.sigmoid(1.702 * x)


def _tanh_gelu(x):
    return activations.gelu(x, approximate=True)


def _clipped_gelu(x):
    return ops.clip(activations.gelu(x), -10.0, 10.0)


def _squared_relu(x):
    return ops.square(ops.relu(x))


def _leaky_relu(x):
    return ops.leaky_relu(x, negative_slope=0.01)


_FUNCTIONS = {
    "gelu": backend.gelu_,
    "gelu_10": _clipped_gelu,
    "gelu_accurate": _tanh_gelu,
    "gelu_fast": _tanh_gelu,
    "gelu_new": _tanh_gelu,
    "gelu_python": backend.gelu_,
    "gelu_pytorch_tanh": _tanh_gelu,
    "leaky_relu": _leaky_relu,
    "linear": activations.linear,
    "mish": activations.mish,
    "quick_gelu": _quick_gelu,
    "relu": ops.relu,
    "relu2": _squared_relu,
    "relu6": ops.relu6,
    "sigmoid": ops.sigmoid,
    "silu": ops.silu,
    "swish": ops.silu,
    "tanh": ops.tanh,
}


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """Finds the function of a Hugging Face activation name.

    Args:
        name: str, one of `keras_led.config_checks.ACTIVATION_NAMES`.

    Returns:
        Callable from a tensor, not to be read any more, to one of the same
        shape and dtype.

    Raises:
        ValueError: If the name is unknown.

    Source:
        `ACT2FN` of transformers 5.23.
    """
    if name not in _FUNCTIONS:
        raise ValueError(
            "`activation` must be a known activation function. "
            f"Received: activation={name!r}. "
            f"Known are {', '.join(_FUNCTIONS)}."
        )
    return _FUNCTIONS[name]

"""How fresh weights start: as PyTorch's LED, normal with a zero pad row."""

import contextlib
import contextvars
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from keras_led.layers.dense_layer import Dense
from keras_led.layers.normalization import LayerNormalization
from keras_led.typing import Shape
from keras_led.typing import Tensor

_come_later = contextvars.ContextVar("defer_initial_values", default=False)


@contextlib.contextmanager
def defer_initial_values() -> Iterator[None]:
    """Lets `Normal` start with zeros inside.

    A checkpoint replaces the values anyway, and to draw 162 million of them
    takes longer than to read as many. What it does not replace is for
    `draw_values`.
    """
    token = _come_later.set(True)
    try:
        yield
    finally:
        _come_later.reset(token)


def draw_values(
    model: keras.layers.Layer, variables: Iterable[keras.Variable]
) -> None:
    """Draws the values that `defer_initial_values` left out.

    Args:
        model: Keras model or layer.
        variables: List of variables of its layers; those that start otherwise
            than by `Normal` are left alone.
    """
    wanted = {id(variable) for variable in variables}
    for layer in model._flatten_layers():
        for variable in layer._trainable_variables:
            name = f"{variable.name}_initializer"
            initializer = getattr(layer, name, None)
            if id(variable) in wanted and isinstance(initializer, Normal):
                variable.assign(initializer(variable.shape, variable.dtype))


@keras.saving.register_keras_serializable(package="keras_led")
class Normal(keras.initializers.RandomNormal):
    """Normal values, but for one row of zeros, that of the pad token.

    Args:
        stddev: float, standard deviation.
        zero_row: int, or `None` for no such row.
        seed: int, or `None` for a fresh one.
    """

    def __init__(
        self,
        stddev: float = 0.02,
        zero_row: int | None = None,
        seed: int | None = None,
    ):
        super().__init__(mean=0.0, stddev=stddev, seed=seed)
        self.zero_row = zero_row

    def __call__(self, shape: Shape, dtype: Any = None) -> Tensor:
        if _come_later.get():
            return ops.zeros(shape, dtype=dtype)
        values = super().__call__(shape, dtype)
        if self.zero_row is None:
            return values
        is_row = ops.arange(shape[0]) == self.zero_row
        zero = ops.zeros((), dtype=values.dtype)
        return ops.where(is_row[:, None], zero, values)

    def get_config(self) -> dict[str, Any]:
        return {
            "stddev": self.stddev,
            "zero_row": self.zero_row,
            "seed": self.seed,
        }


def dense(units: int, init_std: float, name: str, dtype: Any) -> Dense:
    """A `Dense` layer with normal kernel and zero bias."""
    return Dense(
        units,
        kernel_initializer=Normal(init_std),
        name=name,
        dtype=dtype,
    )


def layer_norm(name: str, dtype: Any) -> LayerNormalization:
    """A `LayerNormalization` with the epsilon of Hugging Face."""
    return LayerNormalization(epsilon=1e-5, name=name, dtype=dtype)

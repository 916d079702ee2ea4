"""How fresh weights start: as PyTorch's LED, normal with a zero pad row."""

import keras
from keras import ops

from keras_led.layers.dense import Dense
from keras_led.layers.normalization import LayerNormalization


@keras.saving.register_keras_serializable(package="keras_led")
class NormalWithZeroRow(keras.initializers.RandomNormal):
    """Normal values, but for one row of zeros, that of the pad token.

    Args:
        stddev: float, standard deviation.
        zero_row: int, or `None` for no such row.
        seed: int, or `None` for a fresh one.
    """

    def __init__(self, stddev=0.02, zero_row=None, seed=None):
        super().__init__(mean=0.0, stddev=stddev, seed=seed)
        self.zero_row = zero_row

    def __call__(self, shape, dtype=None):
        values = super().__call__(shape, dtype)
        if self.zero_row is None:
            return values
        is_row = ops.arange(shape[0]) == self.zero_row
        zero = ops.zeros((), dtype=values.dtype)
        return ops.where(is_row[:, None], zero, values)

    def get_config(self):
        return {
            "stddev": self.stddev,
            "zero_row": self.zero_row,
            "seed": self.seed,
        }


def dense(units, init_std, name, dtype):
    """A `Dense` layer with normal kernel and zero bias."""
    return Dense(
        units,
        kernel_initializer=keras.initializers.RandomNormal(stddev=init_std),
        name=name,
        dtype=dtype,
    )


def layer_norm(name, dtype):
    """A `LayerNormalization` with the epsilon of the peers."""
    return LayerNormalization(epsilon=1e-5, name=name, dtype=dtype)

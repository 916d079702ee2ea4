"""Operations of `keras.ops`: each runs once for a program."""

from typing import Any

import tensorflow as tf
from keras import ops

from keras_led.typing import Tensor

cast = ops.cast
pad = ops.pad
reshape = ops.reshape


def shape(x: Tensor) -> tuple[Any, ...]:
    if not isinstance(x, tf.Tensor) or x.shape.is_fully_defined():
        return ops.shape(x)
    # Keras needs four operations for every unknown size.
    sizes = tf.unstack(tf.shape(x))
    pairs = zip(x.shape, sizes, strict=True)
    return tuple(size if n is None else n for n, size in pairs)


def swap_last(x: Tensor) -> Tensor:
    axes = tuple(range(len(x.shape)))
    return ops.transpose(x, (*axes[:-2], axes[-1], axes[-2]))

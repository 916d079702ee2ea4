"""Operations of `keras.ops` as they are: each runs once for a program."""

from keras import ops

from keras_led.typing import Tensor

cast = ops.cast
pad = ops.pad
reshape = ops.reshape
shape = ops.shape


def swap_last(x: Tensor) -> Tensor:
    axes = tuple(range(len(x.shape)))
    return ops.transpose(x, (*axes[:-2], axes[-1], axes[-2]))

"""Random numbers of plain operations, for runtimes without a generator.

A hash of the place of each number and of a seed, as counter-based generators
are; the shifts and multipliers are those of MurmurHash3's last step.
"""

import tensorflow as tf

from keras_led.typing import Tensor

_FIRST, _SECOND, _PLACES = -0x7A143595, -0x3D4D51CB, -0x61C88647
_BITS = 23  # of a float32 in [1, 2)


def counted_uniform(seed: Tensor, shape: Tensor) -> Tensor:
    """Draws float32 numbers from `[0, 1)`; the same `seed` gives the same.

    Args:
        seed: int32 tensor `(2,)`.
        shape: int32 tensor, or tuple of int.
    """
    places = tf.range(tf.reduce_prod(shape))
    mixed = _mix(places * _PLACES + seed[0])
    mixed = _mix(mixed + seed[1])
    bits = tf.bitwise.bitwise_and(mixed, 2**_BITS - 1)
    return tf.reshape(tf.cast(bits, "float32") * 2.0**-_BITS, shape)


def _mix(x):
    x = _shift(x, 16) * _FIRST
    x = _shift(x, 13) * _SECOND
    return _shift(x, 16)


def _shift(x, count):
    """`x ^ (x >> count)`, the shift filling up with zeros."""
    shifted = tf.bitwise.right_shift(x, count)
    shifted = tf.bitwise.bitwise_and(shifted, 2 ** (32 - count) - 1)
    return tf.bitwise.bitwise_xor(x, shifted)

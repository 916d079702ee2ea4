"""Layer normalization of TensorFlow.

On a CPU with oneDNN there is one kernel for all of it, but no operation to call
it by: the optimizer of graphs puts it in the place of a batch normalization
whose channels are the rows, followed by a scale and an offset. led-base,
4,096 tokens, two cores: 0.6 ms, and 2.9 ms for `ops.layer_normalization`.
"""

import platform
from typing import Any

import tensorflow as tf
from keras import ops

from keras_led.backend.tensorflow.private_graph import in_private_graph
from keras_led.typing import Tensor

# The kernel is made anew in each call, which takes longer than a few rows do.
FEW_NUMBERS = 2**16


def layer_norm(x: Tensor, gamma: Any, beta: Any, epsilon: float) -> Tensor:
    if not _has_kernel(x):
        normalized = ops.layer_normalization(x, gamma, beta, -1, epsilon)
        return ops.cast(normalized, x.dtype)
    shape = tf.shape(x)
    # A number that the optimizer cannot know: with a known one it would no
    # longer recognize what follows.
    rows = tf.raw_ops.PlaceholderWithDefault(
        input=tf.reduce_prod(shape[:-1]), shape=[]
    )
    empty = tf.constant([], "float32")
    normalized, *_ = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(x, [1, rows, x.shape[-1], 1]),
        scale=tf.fill([rows], 1.0),
        offset=tf.fill([rows], 0.0),
        mean=empty,
        variance=empty,
        epsilon=epsilon,
        data_format="NCHW",
        is_training=True,  # by the mean and variance of `x`
    )
    normalized = tf.reshape(normalized, shape)
    normalized.set_shape(x.shape)  # no operation, unlike `ensure_shape`
    return normalized * tf.cast(gamma, x.dtype) + tf.cast(beta, x.dtype)


def _has_kernel(x):
    size = x.shape.num_elements()  # `None` where it is not known
    return (
        in_private_graph()
        and x.dtype in (tf.float32, tf.bfloat16)
        and x.shape.rank in (2, 3)
        and (size is None or size > FEW_NUMBERS)
        and platform.machine() in ("x86_64", "AMD64")
        and not tf.config.list_logical_devices("GPU")
    )

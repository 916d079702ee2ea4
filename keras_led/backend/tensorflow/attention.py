"""The products of windowed attention, as TensorFlow runs them fastest.

In a graph on a CPU, `query @ key^T`, times a number, plus a bias is one
operation if written so. With it, and a gather of the keys in place of a slice
joined to the global keys, two cores took a third less time for led-base's
attention to a window.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_led.backend.tensorflow.tensors import shape
from keras_led.typing import Tensor


def map_operands(function: Callable[..., Any], x: Tensor) -> tuple[Any, ...]:
    return function(x)


def spans(x: Tensor, positions: Tensor | None = None) -> Callable[..., Any]:
    table, before = x, None
    if positions is not None:
        before = positions[0]
        if x.shape[0] != 1:  # each document has others: they go in front
            table = tf.concat([take_keys(x, positions), x], axis=2)
            before = tf.range(tf.size(before))
    in_front = 0 if table is x else tf.size(before)

    def read(starts, size, heads=None, joined=False):
        del joined  # products read one tensor as fast
        rows = starts[:, None] + tf.range(size) + in_front
        if before is not None:
            shape = (tf.shape(starts)[0], tf.size(before))
            rows = tf.concat([tf.broadcast_to(before, shape), rows], axis=1)
        first, count = heads or (0, x.shape[1])
        chosen = table if heads is None else table[:, first : first + count]
        found = tf.gather(chosen, rows, axis=2)
        shape = (x.shape[0], count, starts.shape[0], None, x.shape[-1])
        found.set_shape(shape)
        return (found,)

    return read


# Of keys for `attend`, which reads them as it reads values.
key_spans = spans


def scores(query: Tensor, key: Tensor, bias: Tensor, scale: float) -> Tensor:
    single = query.shape[2] == 1
    if single:  # the one operation knows four axes
        query, key, bias = (tf.squeeze(x, 2) for x in (query, key, bias))
    if query.dtype == tf.float16:  # whose largest number is 65,504
        query, scale = query * tf.cast(scale, query.dtype), 1.0
    products = tf.matmul(query, key, transpose_b=True)
    products = tf.cast(products, bias.dtype)
    found = products * tf.constant(scale, bias.dtype) + bias
    return tf.expand_dims(found, 2) if single else found


def attend(
    query: Tensor,
    keys: tuple[Any, ...],
    values: tuple[Any, ...],
    bias: Tensor,
    scale: float,
) -> Tensor:
    (key,), (value,) = keys, values
    if query.dtype == tf.bfloat16:
        bias = tf.cast(bias, query.dtype)  # 0 for whatever counts
    weights = tf.nn.softmax(scores(query, key, bias, scale))
    return times(tf.cast(weights, value.dtype), value)


def attend_gradients() -> Callable[..., Any] | None:
    return None


def fused_attention(
    query: Tensor, value: Tensor
) -> Callable[..., Tensor] | None:
    return None


def times(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[2] != 1:
        return tf.matmul(x, y)
    return tf.matmul(tf.squeeze(x, 2), tf.squeeze(y, 2))[:, :, None]


def times_transposed(x: Tensor, y: Tensor) -> Tensor:
    return tf.matmul(x, y, transpose_b=True)


def take_keys(x: Tensor, positions: Tensor) -> Tensor:
    batch, num_heads, length, _ = shape(x)
    heads = tf.reshape(tf.range(batch * num_heads), (batch, num_heads, 1))
    rows = positions[:, None, :] + length * heads
    found = tf.gather(tf.reshape(x, (-1, x.shape[-1])), rows)
    return tf.ensure_shape(
        found, (*x.shape[:2], positions.shape[1], x.shape[3])
    )

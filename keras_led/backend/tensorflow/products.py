"""Products of TensorFlow with matrices of weights, and rows of them."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import ops

from keras_led.typing import Tensor

# Up to so many rows, as in decoding, go times a table as a batch of one: its
# product reads the table faster (led-base's vocabulary and 4 rows: 8 ms, 12 ms
# as plain matrices), but its gradient is slower for many rows.
FEW_ROWS = 64


def linear(x: Tensor, kernel: Any, bias: Any) -> Tensor:
    kernel = tf.convert_to_tensor(kernel)
    inner, outer = kernel.shape
    rows = x if x.shape.rank == 2 else tf.reshape(x, (-1, inner))
    product = tf.matmul(rows, kernel)
    if bias is not None:
        product = tf.nn.bias_add(product, tf.convert_to_tensor(bias))
    if x.shape.rank == 2:
        return product
    return ops.reshape(product, (*ops.shape(x)[:-1], outer))


def map_rows(function: Callable[..., Any], x: Tensor, *others: Any) -> Tensor:
    return function(x, *others)


def gelu_(x: Tensor) -> Tensor:
    return ops.gelu(x, approximate=False)


def scale_rows_(x: Tensor, factors: Tensor) -> Tensor:
    return x * factors


def write_rows_(x: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    return tf.tensor_scatter_nd_update(x, indices[:, None], rows)


def table_product(x: Tensor, table: Any) -> Tensor:
    rows = x.shape[:-1].num_elements()  # `None` where it is not known
    if rows is None or rows > FEW_ROWS:
        return ops.matmul(x, ops.transpose(table))
    batch = tf.reshape(x, (1, rows, x.shape[-1]))
    table = tf.convert_to_tensor(table)
    product = tf.matmul(batch, table[None], transpose_b=True)
    return tf.reshape(product, (*x.shape[:-1], table.shape[0]))


def look_up(table: Any, ids: Tensor) -> tuple[Any, ...]:

    @tf.custom_gradient
    def read(table):
        def backward(grad_rows, grad_table):
            places = tf.expand_dims(ids, -1)
            return tf.tensor_scatter_nd_add(grad_table, places, grad_rows)

        return (tf.gather(table, ids), tf.identity(table)), backward

    return read(tf.convert_to_tensor(table))  # a variable is no argument


def packed_chunk_columns() -> int | None:
    return None if tf.config.list_logical_devices("GPU") else 32

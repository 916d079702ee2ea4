"""Products of TensorFlow with matrices of weights, and rows of them."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import ops

from keras_led.backend.tensorflow import onednn
from keras_led.backend.tensorflow.private_graph import in_private_graph
from keras_led.backend.tensorflow.private_graph import in_xla_graph
from keras_led.backend.tensorflow.private_graph import runs_here
from keras_led.backend.tensorflow.private_graph import takes_gradients
from keras_led.backend.tensorflow.tensors import shape
from keras_led.typing import Tensor

# Up to so many rows, as in decoding, go times a table in a form that reads the
# table faster, but whose gradient is slower for many rows. The vocabulary of
# led-base and 4 rows: oneDNN takes 8 ms as a batch of one, 12 as plain
# matrices; Eigen, on a machine with AVX2, 34 with the table first, 158 as a
# batch.
FEW_ROWS = 64

# Rows that `map_rows` hands on at a time where there are more. All at once are
# as fast, but what led-base's feed-forward block makes of a million rows on its
# way takes 12.9 GB.
MAPPED_ROWS = 2**15


def linear(x: Tensor, kernel: Any, bias: Any) -> Tensor:
    kernel = tf.convert_to_tensor(kernel)
    inner, outer = kernel.shape
    rows = x if x.shape.rank == 2 else tf.reshape(x, (-1, inner))
    product = tf.matmul(rows, kernel)
    if bias is not None:
        product = tf.nn.bias_add(product, tf.convert_to_tensor(bias))
    if x.shape.rank == 2:
        return product
    return tf.reshape(product, (*shape(x)[:-1], outer))


def multiplies_int8(x: Tensor) -> bool:
    if tf.config.list_logical_devices("GPU"):
        return True
    return in_private_graph() and onednn.multiplies_int8()


def int8_product(x: Tensor, kernel: Any) -> Tensor:
    x = tf.cast(x, "int8")
    if tf.config.list_logical_devices("GPU"):
        return ops.cast(ops.matmul(x, kernel), "float32")
    inner, outer = kernel.shape
    product = onednn.int8_product(tf.reshape(x, (-1, inner)), kernel)
    return tf.reshape(product, (*shape(x)[:-1], outer))


def map_rows(
    function: Callable[..., Any], seed: Any, x: Tensor, *others: Any
) -> Tensor:
    """In pieces in a graph that takes no gradient, where there are many."""
    rows = x.shape[0]
    # What `generate` runs knows how long documents are.
    private = in_private_graph() or in_xla_graph()
    few = private if rows is None else rows <= MAPPED_ROWS
    whole = few or seed is not None or takes_gradients()
    if whole or tf.config.list_logical_devices("GPU"):
        return function(seed, x, *others)
    if rows is None:
        rows = tf.shape(x)[0]
        pieces = tf.maximum((rows + MAPPED_ROWS - 1) // MAPPED_ROWS, 1)
    else:
        pieces = -(-rows // MAPPED_ROWS)
    size = rows // pieces

    def step(number, found):
        start = number * size
        parts = (
            tf.slice(matrix, (start, 0), (size, matrix.shape[1]))
            for matrix in (x, *others)
        )
        return number + 1, found.write(number, function(None, *parts))

    known = size if isinstance(size, int) else None
    found = tf.TensorArray(x.dtype, pieces, element_shape=(known, x.shape[1]))
    _, found = tf.while_loop(
        lambda number, _: number < pieces,
        step,
        (0, found),
        parallel_iterations=1,
    )
    mapped = tf.reshape(found.stack(), (pieces * size, x.shape[1]))
    missing = rows - pieces * size
    if isinstance(missing, int) and missing == 0:
        return mapped
    rest = (matrix[pieces * size :] for matrix in (x, *others))
    return tf.concat([mapped, function(None, *rest)], axis=0)


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
    matrix = tf.reshape(x, (rows, x.shape[-1]))
    table = tf.convert_to_tensor(table)
    if in_xla_graph() or (runs_here() and onednn.multiplies()):
        product = tf.matmul(matrix[None], table[None], transpose_b=True)
    else:
        product = tf.transpose(tf.matmul(table, matrix, transpose_b=True))
    return tf.reshape(product, (*x.shape[:-1], table.shape[0]))


def look_up(table: Any, ids: Tensor) -> tuple[Any, ...]:

    @tf.custom_gradient
    def read(table):
        def backward(grad_rows, grad_table):
            places = tf.expand_dims(ids, -1)
            return tf.tensor_scatter_nd_add(grad_table, places, grad_rows)

        return (tf.gather(table, ids), tf.identity(table)), backward

    return read(tf.convert_to_tensor(table))  # a variable is no argument


def weighted_sum(weights: Tensor, value: Tensor) -> Tensor:
    return ops.matmul(weights, value)


def packed_chunk_columns() -> int | None:
    return None if tf.config.list_logical_devices("GPU") else 32

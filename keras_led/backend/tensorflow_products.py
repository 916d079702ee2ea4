"""Products of TensorFlow with matrices of weights, and rows of them."""

import tensorflow as tf
from keras import ops

# Up to so many rows, as in decoding, go times a table as a batch of one: its
# product reads the table faster (led-base's vocabulary and 4 rows: 8 ms, 12 ms
# as plain matrices), but its gradient is slower for many rows.
FEW_ROWS = 64


def linear(x, kernel, bias):
    """`x @ kernel + bias`, over the last axis of `x`; `bias` may be `None`.

    Written with matrices, since only then does TensorFlow make one operation
    of product and bias, and of an activation on them (led-base's first
    feed-forward product of 4,096 tokens: 120 ms with `gelu`, 94 ms so).
    """
    kernel = tf.convert_to_tensor(kernel)
    inner, outer = kernel.shape
    rows = x if x.shape.rank == 2 else tf.reshape(x, (-1, inner))
    product = tf.matmul(rows, kernel)
    if bias is not None:
        product = tf.nn.bias_add(product, tf.convert_to_tensor(bias))
    if x.shape.rank == 2:
        return product
    return ops.reshape(product, (*ops.shape(x)[:-1], outer))


def map_rows(function, x, *others):
    """`function` of the rows of matrices, as `jax_products.map_rows`."""
    return function(x, *others)


def gelu(x):
    """The exact one, with erf; see `torch_products.gelu`."""
    return ops.gelu(x, approximate=False)


def scale_rows(x, factors):
    """`x * factors`; see `torch_products.scale_rows`."""
    return x * factors


def write_rows(x, indices, rows):
    """`x` with other rows; see `torch_products.write_rows`."""
    return tf.tensor_scatter_nd_update(x, indices[:, None], rows)


def table_product(x, table):
    """`x @ table^T`, over the last axis of `x`."""
    rows = x.shape[:-1].num_elements()  # `None` where it is not known
    if rows is None or rows > FEW_ROWS:
        return ops.matmul(x, ops.transpose(table))
    batch = tf.reshape(x, (1, rows, x.shape[-1]))
    table = tf.convert_to_tensor(table)
    product = tf.matmul(batch, table[None], transpose_b=True)
    return tf.reshape(product, (*x.shape[:-1], table.shape[0]))


def look_up(table, ids):
    """Reads rows of a table, and hands the table on.

    What reads the table handed on leaves its gradient there, and that of the
    rows is added to it: a table that is read in several places has one
    gradient of its size and not one for each.

    Args:
        table: Float tensor of shape `(V, D)`.
        ids: Int32 tensor of any shape.

    Returns:
        Pair of the rows, `(..., D)`, and the table.
    """

    @tf.custom_gradient
    def read(table):
        def backward(by_rows, by_table):
            places = tf.expand_dims(ids, -1)
            return tf.tensor_scatter_nd_add(by_table, places, by_rows)

        return (tf.gather(table, ids), tf.identity(table)), backward

    return read(tf.convert_to_tensor(table))  # a variable is no argument


def columns_of_chunk():
    """Columns of a chunk that `backend.packing` cuts, or `None` for whole.

    Two cores, 4 rows: led-base's feed-forward blocks take 2.6 ms in chunks and
    5.4 ms whole, the keys of 4,096 tokens 2.0 ms and 5.9 ms.
    """
    return None if tf.config.list_logical_devices("GPU") else 32

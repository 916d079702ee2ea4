"""Products of JAX with matrices of weights, and rows of them."""

import jax
import jax.numpy as jnp
from keras import ops

from keras_led.backend.jax_loops import replace_slices

# Rows that `map_rows` hands on at a time: 13 MB within led-base's feed-forward
# block in float32. Its encoder took 5.6 s for 16,384 tokens so, 6.0 s with all
# rows at once, and for 4,096 tokens the same.
MAPPED_ROWS = 1024


def linear(x, kernel, bias):
    """`x @ kernel + bias`, over the last axis of `x`; `bias` may be `None`."""
    product = ops.matmul(x, kernel)
    return product if bias is None else ops.add(product, bias)


def map_rows(function, x):
    """`function` of the rows of `x`, a matrix, each apart from the others.

    On a CPU some rows at a time, so that what it makes on the way stays in the
    cache, and in their place: room for all results is new in every call.

    Args:
        function: Callable from a float matrix to one of its shape and dtype.
        x: Float tensor of shape `(rows, D)`.

    Returns:
        Tensor of the shape of `x`.
    """
    rows, width = x.shape
    pieces = -(-rows // MAPPED_ROWS)
    if pieces <= 1 or jax.default_backend() != "cpu":
        return function(x)
    size = rows // pieces
    rest = x[pieces * size :]
    x = replace_slices(lambda part, _: function(part), x, (size, width))
    if rest.shape[0] == 0:
        return x
    start = (pieces * size, 0)
    return jax.lax.dynamic_update_slice(x, function(rest), start)


def table_product(x, table):
    """`x @ table^T`, over the last axis of `x`."""
    return ops.matmul(x, ops.transpose(table))


@jax.custom_vjp
def look_up(table, ids):
    """Reads rows of a table, as `tensorflow_products.look_up`."""
    return jnp.take(table, ids, axis=0), table


def _look_up_and_keep(table, ids):
    return look_up(table, ids), ids


def _add_rows(ids, upstream):
    by_rows, by_table = upstream
    return by_table.at[ids].add(by_rows), None


look_up.defvjp(_look_up_and_keep, _add_rows)


def columns_of_chunk():
    """`None`: a product with few rows reads a wide matrix where it lies."""

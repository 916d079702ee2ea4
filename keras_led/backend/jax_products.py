"""Products of JAX with matrices of weights, and rows of them."""

import jax
import jax.numpy as jnp
from keras import ops

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
    cache.

    Args:
        function: Callable from a float matrix `(R, I)` to one `(R, O)`.
        x: Float tensor of shape `(rows, I)`.

    Returns:
        Tensor of shape `(rows, O)`.
    """
    rows, width = x.shape
    pieces = -(-rows // MAPPED_ROWS)
    if pieces <= 1 or jax.default_backend() != "cpu":
        return function(x)
    size = rows // pieces
    mapped = jax.lax.map(
        function, x[: pieces * size].reshape(pieces, size, width)
    )
    mapped = mapped.reshape(pieces * size, -1)
    if rows % pieces == 0:
        return mapped
    return jnp.concatenate([mapped, function(x[pieces * size :])])


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

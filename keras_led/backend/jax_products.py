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


def map_rows(function, x, *others):
    """`function` of the rows of matrices, each apart from the others.

    On a CPU some rows at a time, so that what it makes on the way stays in the
    cache, and in their place: room for all results is new in every call.

    Args:
        function: Callable from float matrices of some of the rows to a matrix
            of the shape and dtype of the first.
        x: Float tensor of shape `(rows, D)`.
        *others: Tensors of shape `(rows, ...)`, the last of them not to be
            read any more.

    Returns:
        Tensor of the shape of `x`.
    """
    rows, width = x.shape
    pieces = -(-rows // MAPPED_ROWS)
    if pieces <= 1 or jax.default_backend() != "cpu":
        return function(x, *others)
    size = rows // pieces

    def of_piece(piece, start):
        parts = (
            jax.lax.dynamic_slice_in_dim(other, start[0], size)
            for other in others
        )
        return function(piece, *parts)

    rest = [matrix[pieces * size :] for matrix in (x, *others)]
    x = replace_slices(of_piece, x, (size, width))
    if rows % pieces == 0:
        return x
    return jax.lax.dynamic_update_slice(x, function(*rest), (pieces * size, 0))


def gelu(x):
    """The exact one, with erf; see `torch_products.gelu`."""
    return ops.gelu(x, approximate=False)


def scale_rows(x, factors):
    """`x * factors`; see `torch_products.scale_rows`."""
    return x * factors


def write_rows(x, indices, rows):
    """`x` with other rows; see `torch_products.write_rows`."""
    return x.at[indices].set(rows)


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

"""Products of JAX with matrices of weights, and rows of them."""

import jax
import jax.numpy as jnp
from keras import ops


def linear(x, kernel, bias):
    """`x @ kernel + bias`, over the last axis of `x`; `bias` may be `None`."""
    product = ops.matmul(x, kernel)
    return product if bias is None else ops.add(product, bias)


def map_rows(function, x):
    """`function` of the rows of `x`, a matrix, each apart from the others."""
    return function(x)


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

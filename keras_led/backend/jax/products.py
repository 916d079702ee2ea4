"""Products of JAX with matrices of weights, and rows of them."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from keras import ops

from keras_led.backend.jax.compile import for_large_products
from keras_led.backend.jax.compile import in_inference
from keras_led.backend.jax.loops import replace_slices
from keras_led.typing import Tensor

# Rows that `map_rows` hands on at a time: 13 MB within led-base's feed-forward
# block in float32. Its encoder took 5.6 s for 16,384 tokens so, 6.0 s with all
# rows at once, and for 4,096 tokens the same.
MAPPED_ROWS = 1024

# Keys whose values `weighted_sum` adds up at a time. Above so many pieces, with
# heads narrower than `WIDE_HEAD`, XLA leaves the product of few rows that it
# writes itself for a library's: 4 queries, 4 heads of 16 took 2.7 ms for 65,536
# keys and 104 for 131,072, in pieces 6.7 and 17. Heads of 32 took 7.9 and 11.
# The whole attention to 1,048,576 keys: 536 ms of one core, in pieces 175.
SUMMED_KEYS = 8192
MOST_PIECES_AT_ONCE = 8
WIDE_HEAD = 32


def linear(x: Tensor, kernel: Any, bias: Any) -> Tensor:
    product = ops.matmul(x, kernel)
    return product if bias is None else ops.add(product, bias)


def multiplies_int8(x: Tensor) -> bool:
    if jax.default_backend() != "cpu":
        return True
    return not for_large_products() and _library_multiplies_int8()


def int8_product(x: Tensor, kernel: Any) -> Tensor:
    product = jnp.matmul(
        x.astype("int8"), kernel, preferred_element_type="int32"
    )
    return product.astype("float32")


@functools.cache
def _library_multiplies_int8():
    """Whether XLA calls its library for int8, which is exact and fast.

    The first feed-forward product of led-base, 4,096 tokens, took 155 ms by it
    and 270 ms in float32 (one core of an AMD EPYC).
    """
    example = jax.ShapeDtypeStruct((64, 64), "int8")
    program = jax.jit(int8_product).lower(example, example).compile()
    return "ynn_fusion" in (program.as_text() or "")


def map_rows(
    function: Callable[..., Any], seed: Any, x: Tensor, *others: Any
) -> Tensor:
    """In pieces, each in its place: memory for all is new in every call."""
    rows, width = x.shape
    pieces = -(-rows // MAPPED_ROWS)
    whole = pieces <= 1 or jax.default_backend() != "cpu"
    if whole or seed is not None:
        return function(seed, x, *others)
    size = rows // pieces

    def of_piece(piece, start):
        parts = (
            jax.lax.dynamic_slice_in_dim(other, start[0], size)
            for other in others
        )
        return function(None, piece, *parts)

    rest = [matrix[pieces * size :] for matrix in (x, *others)]
    x = replace_slices(of_piece, x, (size, width))
    if rows % pieces == 0:
        return x
    return jax.lax.dynamic_update_slice(
        x, function(None, *rest), (pieces * size, 0)
    )


def gelu_(x: Tensor) -> Tensor:
    return ops.gelu(x, approximate=False)


def scale_rows_(x: Tensor, factors: Tensor) -> Tensor:
    return x * factors


def write_rows_(x: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    return x.at[indices].set(rows)


def table_product(x: Tensor, table: Any) -> Tensor:
    return ops.matmul(x, ops.transpose(table))


@jax.custom_vjp
def look_up(table: Any, ids: Tensor) -> tuple[Any, ...]:
    return jnp.take(table, ids, axis=0), table


def _look_up_and_keep(table, ids):
    return look_up(table, ids), ids


def _add_rows(ids, grad_output):
    grad_rows, grad_table = grad_output
    return grad_table.at[ids].add(grad_rows), None


look_up.defvjp(_look_up_and_keep, _add_rows)


def weighted_sum(weights: Tensor, value: Tensor) -> Tensor:
    # In pieces the gradient of each would be as long as all keys.
    if jax.default_backend() != "cpu" or not in_inference():
        return ops.matmul(weights, value)
    num_keys, head_dim = value.shape[2:]
    pieces = num_keys // SUMMED_KEYS
    if pieces <= MOST_PIECES_AT_ONCE or head_dim >= WIDE_HEAD:
        return ops.matmul(weights, value)
    piece = jax.lax.dynamic_slice_in_dim

    def add(number, total):
        start = number * SUMMED_KEYS
        return total + jnp.matmul(
            piece(weights, start, SUMMED_KEYS, axis=3),
            piece(value, start, SUMMED_KEYS, axis=2),
            preferred_element_type=total.dtype,
        )

    end = pieces * SUMMED_KEYS
    rest = jnp.matmul(
        weights[..., end:],
        value[:, :, end:],
        preferred_element_type="float32",
    )
    total = jax.lax.fori_loop(0, pieces, add, rest)
    return total.astype(value.dtype)


def packed_chunk_columns() -> int | None:
    return None

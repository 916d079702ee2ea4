"""Loops and conditions of JAX."""

import math
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from keras import ops

from keras_led.typing import Tensor


def step_numbers(count: int | Tensor) -> Any:
    return ops.arange(count, dtype="int32")


def scan(
    body: Callable[..., Any],
    carry: tuple[Any, ...],
    xs: tuple[Any, ...],
    dtype: str,
    outputs: int,
) -> tuple[Any, ...]:
    del dtype, outputs  # seen by JAX itself
    return jax.lax.scan(body, carry, xs)


def map_heads(
    function: Callable[..., Any], tensors: tuple[Any, ...], block: Any
) -> tuple[Any, ...]:
    del block
    return function(0, *tensors)


def while_loop(
    condition: Callable[..., Any],
    body: Callable[..., Any],
    state: Any,
    constants: Any = (),
    recordable: bool = True,
) -> Any:
    del recordable
    return ops.while_loop(
        lambda *state: condition(state),
        lambda *state: body(state, constants),
        state,
    )


def replace_slices(
    function: Callable[..., Any], x: Tensor, size: Sequence[int]
) -> Tensor:
    if 0 in x.shape:
        return x
    counts = [a // b for a, b in zip(x.shape, size, strict=True)]

    def body(number, x):
        index = jnp.unravel_index(number, counts)
        start = [i * step for i, step in zip(index, size, strict=True)]
        found = function(jax.lax.dynamic_slice(x, start, size), start)
        return jax.lax.dynamic_update_slice(x, found, start)

    if math.prod(counts) == 1:
        return body(0, x)  # needs no loop
    return jax.lax.fori_loop(0, math.prod(counts), body, x)


def shapes_may_vary() -> bool:
    return False


def cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    return jax.lax.cond(predicate, true_function, false_function, *operands)


def recomputed_cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    functions = map(jax.checkpoint, (true_function, false_function))
    return cond(predicate, *functions, operands)  # pyright: ignore[reportCallIssue]

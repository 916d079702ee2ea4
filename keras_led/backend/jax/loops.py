"""Loops and conditions of JAX."""

import math

import jax
import jax.numpy as jnp
from keras import ops


def scan(body, carry, xs, dtype, outputs):
    del dtype, outputs  # seen by JAX itself
    return jax.lax.scan(body, carry, xs)


def while_loop(condition, body, state, constants=(), recordable=True):
    del recordable
    return ops.while_loop(
        lambda *state: condition(state),
        lambda *state: body(state, constants),
        state,
    )


def replace_slices(function, x, size):
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


def shapes_may_vary():
    return False


def cond(predicate, true_function, false_function, operands):
    return jax.lax.cond(predicate, true_function, false_function, *operands)


def recomputed_cond(predicate, true_function, false_function, operands):
    functions = map(jax.checkpoint, (true_function, false_function))
    return cond(predicate, *functions, operands)

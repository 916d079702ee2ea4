"""Loops and conditions of JAX."""

import math

import jax
import jax.numpy as jnp
from keras import ops


def scan(body, carry, xs, dtype, outputs):
    """Runs `body` once for each row, as `tensorflow_loops.scan`."""
    del dtype, outputs  # seen by JAX itself
    return jax.lax.scan(body, carry, xs)


def while_loop(condition, body, state, constants=(), recordable=True):
    """Runs `body` in a loop, as `tensorflow_loops.while_loop`."""
    del recordable
    return ops.while_loop(
        lambda *state: condition(state),
        lambda *state: body(state, constants),
        state,
    )


def replace_slices(function, x, size):
    """Replaces slices of `x`, one after another, by a function of them.

    Args:
        function: Callable from a slice and where it starts, a tuple of an
            int32 scalar for each axis, to a tensor of the shape and dtype of
            the slice.
        x: Tensor.
        size: Tuple of ints, the shape of a slice. What a slice is too long
            for at the end of an axis stays as it is.

    Returns:
        Tensor of the shape and dtype of `x`; in a compiled program in the
        memory of `x`, if nothing reads that any more.
    """
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
    """`False`; see `tensorflow_graphs.shapes_may_vary`."""
    return False


def cond(predicate, true_function, false_function, operands):
    """Runs one of two functions, as `tensorflow_loops.cond`."""
    return jax.lax.cond(predicate, true_function, false_function, *operands)


def recomputed_cond(predicate, true_function, false_function, operands):
    """`cond` with a gradient, of functions that may read weights.

    The gradient recomputes the branch that ran. Else the condition would put
    out what the gradients of both need, zeros for the branch that did not run.
    """
    functions = map(jax.checkpoint, (true_function, false_function))
    return cond(predicate, *functions, operands)

"""Loops and conditions of PyTorch."""

import itertools

import torch


def scan(body, carry, xs, dtype, outputs):
    """Runs `body` once for each row, as `tensorflow_loops.scan`."""
    del dtype
    found = [[] for _ in range(outputs)]
    for rows in zip(*xs, strict=True):
        carry, ys = body(carry, rows)
        for kept, y in zip(found, ys, strict=True):
            kept.append(y)
    return carry, tuple(torch.stack(kept) for kept in found)


def replace_slices(function, x, size):
    """Replaces slices of `x`, as `jax_loops.replace_slices`."""
    if 0 in x.shape:
        return x
    lengths = tuple(zip(x.shape, size, strict=True))
    # Where each number is replaced, none is copied before.
    every = all(length % step == 0 for length, step in lengths)
    replaced = torch.empty_like(x) if every else x.clone()
    places = (range(0, length - step + 1, step) for length, step in lengths)
    for start in itertools.product(*places):
        ends = zip(start, size, strict=True)
        part = tuple(slice(first, first + step) for first, step in ends)
        replaced[part] = function(x[part], start)
    return replaced


def shapes_may_vary():
    """`True`; see `tensorflow_graphs.shapes_may_vary`."""
    return True


def cond(predicate, true_function, false_function, operands):
    """Runs one of two functions, as `tensorflow_loops.cond`."""
    # Shapes alone are asked for on the "meta" device: either branch will do.
    chosen = predicate.device.type == "meta" or bool(predicate)
    return (true_function if chosen else false_function)(*operands)


def recomputed_cond(predicate, true_function, false_function, operands):
    """`cond` with a gradient, of functions that may read weights."""
    return cond(predicate, true_function, false_function, operands)

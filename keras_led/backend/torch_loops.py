"""Loops and conditions of PyTorch."""

import itertools

import torch
from torch.utils import _pytree

from keras_led.backend import torch_graphs
from keras_led.backend import torch_recording
from keras_led.backend.torch_shapes import shapes_only


def scan(body, carry, xs, dtype, outputs):
    """Runs `body` once for each row, as `tensorflow_loops.scan`."""
    del dtype
    found = [[] for _ in range(outputs)]
    for rows in zip(*xs, strict=True):
        carry, ys = body(carry, rows)
        for kept, y in zip(found, ys, strict=True):
            kept.append(y)
    return carry, tuple(torch.stack(kept) for kept in found)


def while_loop(condition, body, state, constants=(), recordable=True):
    """Runs `body` as long as `condition` holds.

    Args:
        condition: Callable from the state to a bool scalar tensor.
        body: Callable from the state and `constants` to the next state, of
            the same shapes and dtypes. It reads no other tensor than these
            and weights of the model.
        state: Pytree of tensors.
        constants: Pytree of tensors and static values.
        recordable: bool, `False` where `body` reads numbers of a tensor into
            Python, as the making of random numbers from a seed does.

    Returns:
        The last state.
    """
    recordings = torch_recording.active() if recordable else None
    leaves, structure = _pytree.tree_flatten(state)
    fixed, fixed_structure = _pytree.tree_flatten(constants)

    def flat_body(leaves, fixed):
        state = body(
            _pytree.tree_unflatten(leaves, structure),
            _pytree.tree_unflatten(fixed, fixed_structure),
        )
        return _pytree.tree_leaves(state)

    def runs(leaves):
        return bool(condition(_pytree.tree_unflatten(leaves, structure)))

    step = None
    while runs(leaves):
        if step is None and recordings is not None:
            step = recordings.find(flat_body, leaves, fixed)
        if step is not None and torch_graphs.takes(leaves):
            leaves = torch_graphs.run_loop(runs, step, leaves, fixed)
            break
        leaves = (step or flat_body)(leaves, fixed)
    return _pytree.tree_unflatten(leaves, structure)


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
    """Whether this is no recording; see `tensorflow_graphs.shapes_may_vary`."""
    return not torch_recording.is_recording()


def cond(predicate, true_function, false_function, operands):
    """Runs one of two functions, as `tensorflow_loops.cond`."""
    # Of shapes alone, either branch will do.
    chosen = shapes_only(predicate) or bool(predicate)
    return (true_function if chosen else false_function)(*operands)


def recomputed_cond(predicate, true_function, false_function, operands):
    """`cond` with a gradient, of functions that may read weights."""
    return cond(predicate, true_function, false_function, operands)

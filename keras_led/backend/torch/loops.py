"""Loops and conditions of PyTorch."""

import itertools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils import _pytree

from keras_led.backend.torch import workspace
from keras_led.backend.torch.replay import cuda_graph
from keras_led.backend.torch.replay import recorder
from keras_led.backend.torch.shapes import shapes_only
from keras_led.typing import Tensor


def step_numbers(count: int | Tensor) -> Any:
    return range(int(count))


def scan(
    body: Callable[..., Any],
    carry: tuple[Any, ...],
    xs: tuple[Any, ...],
    dtype: str,
    outputs: int,
) -> tuple[Any, ...]:
    del dtype
    found = [[] for _ in range(outputs)]
    for rows in zip(*xs, strict=True):
        carry, ys = body(carry, rows)
        for kept, y in zip(found, ys, strict=True):
            kept.append(y)
    return carry, tuple(torch.stack(kept) for kept in found)


def map_heads(
    function: Callable[..., Any], tensors: tuple[Any, ...], block: Any
) -> tuple[Any, ...]:
    query, key = tensors[:2]
    batch, heads, num_queries, head_dim = query.shape
    # Of a head: its scores, or the gradient of its keys.
    rows = max(num_queries if block is None else int(block), head_dim)
    count = max(1, batch * rows * key.shape[2])
    size = max(1, workspace.LARGEST_KEPT // (4 * count))  # float32
    if size >= heads or query.device.type != "cpu":
        return function(0, *tensors)
    pieces = zip(*(x.split(size, dim=1) for x in tensors), strict=True)
    found = [function(number, *piece) for number, piece in enumerate(pieces)]
    return tuple(torch.cat(parts, dim=1) for parts in zip(*found, strict=True))


def while_loop(
    condition: Callable[..., Any],
    body: Callable[..., Any],
    state: Any,
    constants: Any = (),
    recordable: bool = True,
) -> Any:
    recordings = recorder.active() if recordable else None
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
        if step is not None and cuda_graph.takes(leaves):
            leaves = cuda_graph.run_loop(runs, step, leaves, fixed)
            break
        leaves = (step or flat_body)(leaves, fixed)
    return _pytree.tree_unflatten(leaves, structure)


def replace_slices(
    function: Callable[..., Any], x: Tensor, size: Sequence[int]
) -> Tensor:
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


def shapes_may_vary() -> bool:
    return True


def cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    # Of shapes alone, either branch will do.
    chosen = shapes_only(predicate) or bool(predicate)
    return (true_function if chosen else false_function)(*operands)


def recomputed_cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    return cond(predicate, true_function, false_function, operands)

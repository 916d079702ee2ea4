"""One process for each part of a document, in a group of `torch.distributed`.

Outside of `run_in_shards` every process computes the same, from whole tensors:
embeddings of the tokens, the decoder, the loss. So the gradient of each weight
is the whole one, in every process, when a backward pass is done.
"""

import contextlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import torch
from keras import ops
from torch import distributed
from torch.utils import _pytree

from keras_led.backend.shard_layout import DocumentShards
from keras_led.backend.stored_values import stored_values
from keras_led.backend.symbolic import in_symbolic_scope
from keras_led.backend.torch import messages
from keras_led.backend.torch.seeds import as_seed
from keras_led.backend.torch.shapes import shapes_only
from keras_led.typing import Tensor

SHARDS_DOCUMENTS = True

# Numbers of each tensor that processes compare, and by how much of the largest
# one they may differ: weights of processes may drift apart by their rounding.
COMPARED = 64
TOLERANCE = 1e-2


def document_shards() -> DocumentShards | None:
    if in_symbolic_scope():  # of shapes alone, nobody sends messages
        return None
    distribution = keras.distribution.distribution()
    return getattr(distribution, "document_shards", None)


def make_shards(
    device_mesh: keras.distribution.DeviceMesh,
    layout_map: keras.distribution.LayoutMap,
    batch_axis: str,
    sequence_axis: str,
) -> DocumentShards:
    if not distributed.is_available() or not distributed.is_initialized():
        raise RuntimeError(
            "`SequenceParallel` spreads documents over processes of PyTorch, "
            "which must have formed a group. Received: none. Start them with "
            "`torchrun` and call `torch.distributed.init_process_group()` in "
            "each."
        )
    ranks = device_mesh.devices.flatten().tolist()
    own, world = distributed.get_rank(), distributed.get_world_size()
    sizes = dict(zip(device_mesh.axis_names, device_mesh.shape, strict=True))
    size = sizes[sequence_axis]
    known = own in ranks and set(ranks) <= set(range(world))
    if not known or len(set(ranks)) < len(ranks):
        raise ValueError(
            "`device_mesh` must have ranks of PyTorch's processes for devices, "
            f"that of this one, {own}, among them. Received: {ranks}. "
            f"All are DeviceMesh((1, {world}), [{batch_axis!r}, "
            f"{sequence_axis!r}], range({world}))."
        )
    if len(ranks) != size:
        raise ValueError(
            "`device_mesh` must have the length 1 on every axis but "
            f"{sequence_axis!r} on PyTorch. Received: {sizes}. Make a mesh of "
            "some ranks for each document, in the processes that share it."
        )
    if len(layout_map):
        raise ValueError(
            "`layout_map` must be empty on PyTorch, where every process has "
            f"all weights. Received: layouts of {list(layout_map)}."
        )
    group = distributed.group.WORLD
    if ranks != list(range(world)):
        group = distributed.new_group(ranks, use_local_synchronization=True)
    return DocumentShards(group, sequence_axis, size, batch_axis, 1)


def keys_stay_apart() -> bool:
    return document_shards() is not None


def same_everywhere(numbers: np.ndarray) -> np.ndarray:
    shards = document_shards()
    if shards is None:
        return numbers
    message = ops.convert_to_tensor(numbers.astype("int64"))
    source = distributed.get_global_rank(shards.mesh, 0)
    distributed.broadcast(message, source, group=shards.mesh)
    return ops.convert_to_numpy(message).astype(numbers.dtype)


def run_in_shards(
    function: Callable[..., Any],
    shards: DocumentShards,
    tensors: Sequence[Any],
    axes: Sequence[str],
    out_axes: str,
    variables: Sequence[Any] = (),
) -> Any:
    group, parts, values = shards.mesh, list(tensors), stored_values(variables)
    length, entering = None, []
    for i, letters in enumerate(axes):
        if parts[i] is not None and "L" in letters:
            axis = letters.index("L")
            length = parts[i].shape[axis]
            parts[i] = messages.Cut.apply(group, parts[i], axis)
        elif _has_gradient(parts[i]) and "S" not in letters:
            entering.append(i)
    if "L" in out_axes:
        _compare(group, [x for x in tensors if _is_float(x)])
    trained = [i for i, value in enumerate(values) if _has_gradient(value)]
    scope = contextlib.nullcontext()
    if entering or trained:
        entered = list(
            messages.Enter.apply(
                group,
                *(parts[i] for i in entering),
                *(values[i] for i in trained),
            )
        )
        for i in entering:
            parts[i] = entered.pop(0)
        mapping = zip([variables[i] for i in trained], entered, strict=True)
        scope = keras.StatelessScope(state_mapping=list(mapping))
    with scope:
        found = function(*parts)

    def leave(x):
        if "L" in out_axes:
            axis = out_axes.index("L")
            return messages.Join.apply(group, x, axis, length)
        return x if "S" in out_axes else messages.Leave.apply(group, x)

    return _pytree.tree_map(leave, found)


def _has_gradient(x):
    return torch.is_tensor(x) and x.requires_grad and torch.is_grad_enabled()


def _is_float(x):
    return torch.is_tensor(x) and x.is_floating_point()


def _compare(group, tensors):
    """Raises in all processes if one of them has other tensors.

    What is sent is a few numbers of each. Without this, a process with other
    documents or weights would give numbers without a meaning to all.
    """
    rows = [x.new_zeros(1 + COMPARED, dtype=torch.float32) for x in tensors]
    for row, x in zip(rows, tensors, strict=True):
        entries = x.detach().reshape(-1)
        entries = entries[:: max(1, len(entries) // COMPARED)][:COMPARED]
        row[0], row[1 : 1 + len(entries)] = x.numel(), entries
    found = messages.gather(group, torch.stack(rows))
    largest = found[..., 1:].abs().amax(dim=(0, 2))[:, None]
    if bool(((found - found[:1]).abs() > TOLERANCE * largest).any()):
        raise ValueError(
            "All processes of a `SequenceParallel` must call the model with "
            "the same documents and weights. Received: others in some. Load "
            "the same checkpoint, or call `keras.utils.set_random_seed` with "
            "one number in all, and give all the same batches."
        )


def shard_index(shards: DocumentShards) -> int:
    return shards.mesh.rank()


def shard_seed(seed: Any) -> Any:
    if seed is None or shapes_only(seed):
        return seed
    return as_seed(seed).fold_in(document_shards().mesh.rank())


def halo(
    x: Tensor, width: int, axis: int, shards: DocumentShards
) -> tuple[Tensor, Tensor]:
    return messages.Halo.apply(shards.mesh, x, width, axis)


def sum_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    return messages.Sum.apply(shards.mesh, x)


def gather_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    return messages.Gather.apply(shards.mesh, x)

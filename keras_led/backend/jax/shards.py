"""One program for every device of a mesh, which send each other messages.

In a shard the gradient of a tensor that is equal everywhere is a part of the
whole (`check_vma=False` of `jax.shard_map`): sums are the gradients of sums.
"""

import contextvars
import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.sharding import PartitionSpec

from keras_led.backend.shard_layout import DocumentShards
from keras_led.backend.stored_values import stored_values
from keras_led.typing import Tensor

SHARDS_DOCUMENTS = True

# Axes of the mesh whose devices draw noise of their own.
_noise_axes: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar(
    "noise_axes", default=()
)


def document_shards() -> DocumentShards | None:
    distribution = keras.distribution.distribution()
    return getattr(distribution, "document_shards", None)


def make_shards(
    device_mesh: keras.distribution.DeviceMesh,
    layout_map: keras.distribution.LayoutMap,
    batch_axis: str,
    sequence_axis: str,
) -> DocumentShards:
    del layout_map
    sizes = dict(zip(device_mesh.axis_names, device_mesh.shape, strict=True))
    return DocumentShards(
        device_mesh.backend_mesh,
        sequence_axis,
        sizes[sequence_axis],
        batch_axis,
        sizes[batch_axis],
    )


def keys_stay_apart() -> bool:
    return False


def same_everywhere(numbers: np.ndarray) -> np.ndarray:
    return numbers


def run_in_shards(
    function: Callable[..., Any],
    shards: DocumentShards,
    tensors: Sequence[Any],
    axes: Sequence[str],
    out_axes: str,
    variables: Sequence[Any] = (),
) -> Any:
    batches = [
        x.shape[letters.index("B")]
        for x, letters in zip(tensors, axes, strict=True)
        if x is not None and "B" in letters
    ]
    names = {"L": shards.axis, "S": shards.axis}
    if all(size % shards.batch_size == 0 for size in batches):
        names["B"] = shards.batch_axis

    def spec(letters):
        return PartitionSpec(*(names.get(letter) for letter in letters))

    def of_shard(values, *tensors):
        token = _noise_axes.set(tuple(dict.fromkeys(names.values())))
        mapping = zip(variables, values, strict=True)
        try:
            with keras.StatelessScope(state_mapping=list(mapping)):
                return function(*tensors)
        finally:
            _noise_axes.reset(token)

    run = jax.shard_map(
        of_shard,
        mesh=shards.mesh,
        in_specs=(PartitionSpec(), *map(spec, axes)),
        out_specs=spec(out_axes),
        axis_names={shards.axis, shards.batch_axis},
        check_vma=False,
    )
    padded = [
        _padded(x, letters, shards.size)
        for x, letters in zip(tensors, axes, strict=True)
    ]
    found = jax.jit(run)(stored_values(variables), *padded)
    (length,) = {
        x.shape[axis]
        for x, letters in zip(tensors, axes, strict=True)
        if x is not None and (axis := _cut_axis(letters)) is not None
    }
    axis = _cut_axis(out_axes)
    if axis is None or length % shards.size == 0:
        return found
    without = functools.partial(
        jax.lax.slice_in_dim, start_index=0, limit_index=length, axis=axis
    )
    return jax.tree.map(without, found)


def _cut_axis(letters):
    """Which axis is cut among the shards, `None` for none."""
    return next((i for i, x in enumerate(letters) if x in "LS"), None)


def _padded(x, letters, shards):
    axis = _cut_axis(letters)
    if x is None or axis is None or x.shape[axis] % shards == 0:
        return x
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (0, -x.shape[axis] % shards)
    return jnp.pad(x, widths)


def shard_index(shards: DocumentShards) -> Tensor:
    return jax.lax.axis_index(shards.axis)


def shard_seed(seed: Any) -> Any:
    if seed is None:
        return None
    for axis in _noise_axes.get():
        seed = jax.random.fold_in(seed, jax.lax.axis_index(axis))
    return seed


def halo(
    x: Tensor, width: int, axis: int, shards: DocumentShards
) -> tuple[Tensor, Tensor]:
    length, seen = x.shape[axis], 0
    before, behind = [], []
    for hop in range(1, shards.size):
        size = min(width - seen, length)
        if size <= 0:
            break
        last = jax.lax.slice_in_dim(x, length - size, length, axis=axis)
        first = jax.lax.slice_in_dim(x, 0, size, axis=axis)
        pairs = [(i, i + hop) for i in range(shards.size - hop)]
        back = [(j, i) for i, j in pairs]
        before.insert(0, jax.lax.ppermute(last, shards.axis, pairs))
        behind.append(jax.lax.ppermute(first, shards.axis, back))
        seen += size
    if seen < width:  # the window is wider than the document
        shape = list(x.shape)
        shape[axis] = width - seen
        before.insert(0, jnp.zeros(shape, x.dtype))
        behind.append(jnp.zeros(shape, x.dtype))
    return jnp.concatenate(before, axis), jnp.concatenate(behind, axis)


def sum_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    # In float32 whatever the policy: the parts of many devices lose digits.
    total = jax.lax.psum(x.astype("float32"), shards.axis)
    return total.astype(x.dtype)


def gather_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    return jax.lax.all_gather(x, shards.axis)

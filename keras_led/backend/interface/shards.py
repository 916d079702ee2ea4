"""A document on many devices, each of which holds some of its tokens.

JAX runs one program on every device of a mesh; outside of the shards it sees
whole tensors, wherever their parts lie. PyTorch runs a process a device, and
outside of the shards each of them computes the same, from whole tensors: their
gradients are whole in every process too.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.backend.shard_layout import DocumentShards
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import keras

# Whether documents can be spread over devices. What TensorFlow has for it works
# beside Keras' `fit`; there most of the other names of this page raise an
# error.
SHARDS_DOCUMENTS: bool


def document_shards() -> DocumentShards | None:
    """The `DocumentShards` of the distribution in scope, `None` without."""
    raise NotImplementedError


def make_shards(
    device_mesh: "keras.distribution.DeviceMesh",
    layout_map: "keras.distribution.LayoutMap",
    batch_axis: str,
    sequence_axis: str,
) -> DocumentShards:
    """The `DocumentShards` of a mesh.

    Args:
        device_mesh: `keras.distribution.DeviceMesh` with these axes.
        layout_map: `keras.distribution.LayoutMap` of the weights.
        batch_axis: str, the axis that documents are spread over.
        sequence_axis: str, the axis that their tokens are spread over.

    Raises:
        RuntimeError: If PyTorch's processes have formed no group.
        ValueError: If the mesh, or the layout, is none that the backend has.
    """
    raise NotImplementedError


def keys_stay_apart() -> bool:
    """Whether each process has the keys of its part of documents only."""
    raise NotImplementedError


def same_everywhere(numbers: np.ndarray) -> np.ndarray:
    """Numbers that all processes of a document share: of the first of them.

    Args:
        numbers: numpy array of ints.

    Returns:
        numpy array of that shape and dtype.
    """
    raise NotImplementedError


def run_in_shards(
    function: Callable[..., Any],
    shards: DocumentShards,
    tensors: Sequence[Any],
    axes: Sequence[str],
    out_axes: str,
    variables: Sequence[Any] = (),
) -> Any:
    """Runs a function on every device, each with its part of the tensors.

    Args:
        function: Callable from the parts of `tensors` to a pytree of tensors.
        shards: `DocumentShards`.
        tensors: Sequence of tensors; those that are `None` stay `None`.
        axes: Sequence of str, a letter for each axis of each tensor: `L` is
            cut among the shards, with zeros added where they do not divide
            it. `S` is too; it stands for keys, which where `keys_stay_apart`
            are nowhere but in the shards, zeros included. `B` is cut among
            the devices of the batch axis, where they divide it. All others,
            also such left out at the end, are whole everywhere.
        out_axes: str, likewise for the tensors that `function` returns. What
            has neither `L` nor `S` must be equal in all shards.
        variables: Sequence of the Keras variables that `function` reads.

    Returns:
        What `function` returns, its parts joined, without the zeros.
    """
    raise NotImplementedError


def shard_index(shards: DocumentShards) -> Tensor | int:
    """Which shard of its documents runs, from 0."""
    raise NotImplementedError


def shard_seed(seed: Any) -> Any:
    """A seed for noise on the tokens of one shard of some documents.

    Args:
        seed: Int tensor of shape `(2,)`, the same everywhere, or `None`.

    Returns:
        Int tensor of shape `(2,)`, or `None`.
    """
    raise NotImplementedError


def halo(
    x: Tensor, width: int, axis: int, shards: DocumentShards
) -> tuple[Tensor, Tensor]:
    """What the neighbors hold next to the tokens of a shard.

    It travels once to each side, in several messages where a shard has fewer
    than `width` tokens.

    Args:
        x: Tensor, of the tokens of the shard.
        width: int, tokens to see on each side, at least 1.
        axis: int, of the tokens.
        shards: `DocumentShards`.

    Returns:
        Pair of tensors of `width` tokens, those before and those behind;
        zeros where the document has none.
    """
    raise NotImplementedError


def sum_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    """Sum of a float tensor over the shards of a document, on each of them.

    Its gradient is that sum too: in a shard the gradient of what is equal
    everywhere is a part, of which the shards' parts add up to the whole.
    """
    raise NotImplementedError


def gather_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    """`x` of every shard of a document, on a new first axis, on each."""
    raise NotImplementedError

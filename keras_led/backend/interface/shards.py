"""A document on many devices, each of which holds some of its tokens."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from keras_led.backend.shard_layout import DocumentShards
from keras_led.typing import Tensor

# Whether documents can be spread over devices: JAX runs a function on every
# device of a mesh and lets them send each other messages. What TensorFlow and
# PyTorch have for it works on a process a device, beside Keras' `fit`; there
# the other names of this page raise an error.
SHARDS_DOCUMENTS: bool


def document_shards() -> DocumentShards | None:
    """The `DocumentShards` of the distribution in scope, `None` without."""
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
            cut among the shards, `B` among the devices of the batch axis,
            where they divide it; all others, also such left out at the end,
            are whole everywhere.
        out_axes: str, likewise for the tensors that `function` returns. What
            has no `L` must be equal in all shards.
        variables: Sequence of the Keras variables that `function` reads.

    Returns:
        What `function` returns, its parts joined.
    """
    raise NotImplementedError


def shard_index(shards: DocumentShards) -> Tensor:
    """Which shard of its documents runs, int32 scalar, from 0."""
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

"""Where documents are not spread over devices: what `interface/shards` names.

Nothing calls these, but for the first two.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from keras_led.backend.shard_layout import DocumentShards
from keras_led.typing import Tensor

SHARDS_DOCUMENTS = False


def document_shards() -> DocumentShards | None:
    """No distribution of this backend has shards."""
    return None


def run_in_shards(
    function: Callable[..., Any],
    shards: DocumentShards,
    tensors: Sequence[Any],
    axes: Sequence[str],
    out_axes: str,
    variables: Sequence[Any] = (),
) -> Any:
    """Raises `NotImplementedError`."""
    raise _unavailable()


def shard_index(shards: DocumentShards) -> Tensor:
    """Raises `NotImplementedError`."""
    raise _unavailable()


def shard_seed(seed: Any) -> Any:
    """Raises `NotImplementedError`."""
    raise _unavailable()


def halo(
    x: Tensor, width: int, axis: int, shards: DocumentShards
) -> tuple[Tensor, Tensor]:
    """Raises `NotImplementedError`."""
    raise _unavailable()


def sum_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    """Raises `NotImplementedError`."""
    raise _unavailable()


def gather_over_shards(x: Tensor, shards: DocumentShards) -> Tensor:
    """Raises `NotImplementedError`."""
    raise _unavailable()


def _unavailable():
    return NotImplementedError(
        "Documents are spread over devices on JAX alone. Set KERAS_BACKEND=jax."
    )

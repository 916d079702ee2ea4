"""Documents are not spread over devices: what `interface/shards` names.

Nothing calls these, but for the first ones that return.
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

SHARDS_DOCUMENTS = False


def document_shards() -> DocumentShards | None:
    """No distribution of this backend has shards."""
    return None


def keys_stay_apart() -> bool:
    """Where there are no shards, keys are in one place."""
    return False


def same_everywhere(numbers: np.ndarray) -> np.ndarray:
    """Nobody else has another."""
    return numbers


def make_shards(
    device_mesh: "keras.distribution.DeviceMesh",
    layout_map: "keras.distribution.LayoutMap",
    batch_axis: str,
    sequence_axis: str,
) -> DocumentShards:
    """Raises `NotImplementedError`."""
    raise _unavailable()


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
        "Documents are spread over devices of JAX and processes of PyTorch. "
        "Received: the backend 'tensorflow'. Set KERAS_BACKEND to another."
    )

"""The weights of an LED, ready to be written in any format."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

import numpy as np

from keras_led.checkpoints import matching
from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.config import LEDConfig

if TYPE_CHECKING:
    from keras_led.checkpoints.checkpoint import Checkpoint
    from keras_led.checkpoints.mapped import MappedCheckpoint


@dataclasses.dataclass(frozen=True)
class Weight:
    """One weight.

    Args:
        name: str, its name; see `names.py`.
        shape: tuple of int, in Keras' layout.
        dtype: numpy dtype of the source.
        source: str, its name in the source; `None` where it is new.
        transposed: bool, whether the source has its two axes swapped.
        read: callable without arguments that returns the values in Keras'
            layout.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    source: str | None
    transposed: bool
    read: Callable[..., Any]


@dataclasses.dataclass
class WeightSet:
    """All weights of a model, read one by one. Close it after use.

    Args:
        config: `LEDConfig`.
        head: str or `None`; see `table.weight_shapes`.
        weights: list of `Weight`.
        family: str, the kind of checkpoint they come from.
        directory: `pathlib.Path` of the source, with its tokenizer files.
        source: str, what a report calls the source: a hub id, or the name of
            a directory without its path, which is nobody else's business.
        checkpoint: the open checkpoint.
        side_files: dict of file names to bytes; see `side_files.py`.
    """

    config: LEDConfig
    head: str | None
    weights: list[Weight]
    family: str
    directory: Path
    source: str
    checkpoint: "Checkpoint | MappedCheckpoint"
    side_files: dict[str, bytes]

    def close(self) -> None:
        """Closes the files of the source."""
        self.checkpoint.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def make_weight_set(
    config: LEDConfig,
    head: str | None,
    checkpoint: "Checkpoint | MappedCheckpoint",
    family: str,
    directory: Path,
    source: str,
    side_files: dict[str, bytes],
) -> WeightSet:
    """Finds every weight of an LED in a checkpoint.

    Args:
        config: `LEDConfig`.
        head: str or `None`; see `table.weight_shapes`.
        checkpoint: `Checkpoint` or `MappedCheckpoint`.
        family: str, the kind of checkpoint.
        directory: `pathlib.Path` of the source.
        source: str, see `WeightSet`.
        side_files: dict of file names to bytes.

    Returns:
        A `WeightSet`.

    Raises:
        ValueError: If tensors are missing, unexpected, of a wrong shape or
            type: all of them are listed.
    """
    shapes = matching.expected_shapes(config, head, checkpoint, directory)
    sources = matching.find_sources(
        shapes, checkpoint, directory, allow_fresh_head=False
    )
    weights = [
        _weight(name, shape, sources[name], checkpoint)
        for name, shape in shapes.items()
    ]
    return WeightSet(
        config, head, weights, family, directory, source, checkpoint, side_files
    )


def _weight(name, shape, source, checkpoint):
    if source.tensor is None:
        dtype = np.dtype("float32")
        zeros = np.zeros(shape, dtype)
        return Weight(name, shape, dtype, None, False, lambda: zeros)
    return Weight(
        name,
        shape,
        FLOAT_DTYPES[checkpoint.infos[source.tensor].dtype],
        checkpoint.origin(source.tensor),
        source.transposed,
        lambda: matching.read_source(checkpoint, source),
    )

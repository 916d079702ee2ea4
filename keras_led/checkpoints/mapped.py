"""A checkpoint under other names, with some of its tensors changed."""

import dataclasses
from collections.abc import Callable
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.checkpoints.tensor_files import TensorInfo
from keras_led.files.reading import reading

if TYPE_CHECKING:
    import numpy as np

    from keras_led.checkpoints.checkpoint import Checkpoint


@dataclasses.dataclass(frozen=True)
class Entry:
    """One tensor of a `MappedCheckpoint`.

    Args:
        source: str, name of the tensor it is made from.
        shape: tuple of int, its own shape; `None` for that of the source.
        change: callable from the array of the source to its own, or `None`.
    """

    source: str
    shape: tuple[int, ...] | None = None
    change: Callable[..., Any] | None = None


class MappedCheckpoint:
    """Shows the tensors of a checkpoint under other names.

    It stands wherever a `Checkpoint` does.

    Args:
        base: `Checkpoint` or `MappedCheckpoint`.
        entries: dict of new names to `Entry`. Tensors of `base` that no entry
            uses keep their name, so that nothing is lost in silence.
        dialect: str, whose names and axes the new names stand for. Defaults
            to that of `base`.
        drop: collection of the tensors of `base` that are no weights.
    """

    dialect: str
    infos: dict[str, TensorInfo]

    def __init__(
        self,
        base: "Checkpoint | MappedCheckpoint",
        entries: dict[str, Entry],
        dialect: str | None = None,
        drop: Collection[str] = (),
    ):
        self._base = base
        self.dialect = dialect or base.dialect
        used = {entry.source for entry in entries.values()} | set(drop)
        rest = {name: Entry(name) for name in base.infos if name not in used}
        self._entries = {**rest, **entries}
        self.infos = {
            name: self._info(entry) for name, entry in self._entries.items()
        }

    @property
    def paths(self) -> list[Path]:
        """List of the paths of the weight files."""
        return self._base.paths

    def origin(self, name: str) -> str:
        """Returns the name of the tensor in the file."""
        return self._base.origin(self._entries[name].source)

    def read(self, name: str) -> "np.ndarray":
        """Reads one tensor, changed; see `TensorFile.read`."""
        entry = self._entries[name]
        array = self._base.read(entry.source)
        if entry.change is None:
            return array
        file = self._base.infos[entry.source].file
        with reading(file, f"hold {entry.source} of another shape"):
            return entry.change(array)

    def close(self) -> None:
        """Closes all files."""
        self._base.close()

    def _info(self, entry):
        info = self._base.infos[entry.source]
        shape = info.shape if entry.shape is None else entry.shape
        return TensorInfo(tuple(shape), info.dtype, info.file)

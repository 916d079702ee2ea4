"""A checkpoint: all its weight files as one table of tensors."""

import math
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from keras_led.argument_checks import check_list
from keras_led.checkpoints import names
from keras_led.checkpoints.hdf5_reader import Hdf5File
from keras_led.checkpoints.safetensors_reader import SafetensorsFile
from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.checkpoints.tensor_files import damaged
from keras_led.checkpoints.torch_reader import TorchFile
from keras_led.files.hub import read_json
from keras_led.files.hub import resolve
from keras_led.files.reading import reading
from keras_led.files.together import read_together
from keras_led.typing import StrPath

if TYPE_CHECKING:
    import numpy as np

    from keras_led.checkpoints.tensor_files import TensorFile
    from keras_led.checkpoints.tensor_files import TensorInfo

SAFETENSORS_NAME = "model.safetensors"
SAFETENSORS_INDEX = "model.safetensors.index.json"

# In the order in which they are looked for.
WEIGHT_FILES = (
    SAFETENSORS_NAME,
    SAFETENSORS_INDEX,
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
    "tf_model.h5.index.json",
)

# Beside eight times their file, which packed or shared tensors may need.
_MOST_BYTES = 64 * 2**20

_READERS = {
    ".safetensors": SafetensorsFile,
    ".bin": TorchFile,
    ".pt": TorchFile,
    ".pth": TorchFile,
    ".ckpt": TorchFile,
    ".h5": Hdf5File,
}


class Checkpoint:
    """The tensors of one or more weight files.

    Use it in a `with` block, or call `close`.

    Args:
        files: list of `TensorFile`.
        index: dict of tensor names to file names, from an index file, or
            `None` where there is none.
        index_path: path of the index file, for messages.

    Attributes:
        infos: dict of tensor names to `TensorInfo`. They are those of the
            files, without what `names.without_wrappers` takes away.
        dialect: `"torch"` or `"tensorflow"`: whose names and axes they are.

    Raises:
        ValueError: If two files hold the same tensor, a tensor of the index
            is missing, or no tensor has the name of a weight.
    """

    infos: "dict[str, TensorInfo]"

    def __init__(
        self,
        files: "list[TensorFile]",
        index: dict[str, Any] | None = None,
        index_path: Path | None = None,
    ):
        self._files = files
        self._file_of = {}
        infos = {}
        for file in files:
            for name, info in file.infos.items():
                if name in infos:
                    raise damaged(
                        file.path, f"{infos[name].file} has {name} too"
                    )
                infos[name] = info
                self._file_of[name] = file
        self.dialect = _dialect(infos, self.paths)
        self._origins = {name: name for name in infos}
        if self.dialect == "torch":
            self._origins = names.without_wrappers(infos)
        self.infos = {new: infos[old] for new, old in self._origins.items()}
        if index is not None:
            self._check_index(index, index_path)

    @property
    def paths(self) -> list[Path]:
        """List of the paths of the weight files."""
        return [file.path for file in self._files]

    def origin(self, name: str) -> str:
        """Returns the name of a tensor in the file."""
        return self._origins[name]

    def read(self, name: str) -> "np.ndarray":
        """Reads one tensor; see `TensorFile.read`."""
        name = self._origins[name]
        return self._file_of[name].read(name)

    def close(self) -> None:
        """Closes all files."""
        for file in self._files:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def _check_index(self, index, index_path):
        """Compares an index with what its files really hold."""
        convert = names.converter(self.dialect)
        held = {
            (convert(name) or name, self._file_of[name].path.name)
            for name in self._file_of
        }
        lost = [
            f"{name} in {file}"
            for name, file in index.items()
            if (convert(name) or name, file) not in held
        ]
        if lost:
            raise damaged(
                index_path,
                "it names tensors that are not there: " + shorten(sorted(lost)),
            )


def open_checkpoint(
    name_or_path: StrPath,
    weight_files: Iterable[str] = WEIGHT_FILES,
    **hub_options: Any,
) -> Checkpoint:
    """Opens the weights of a checkpoint, in whatever format they are.

    Args:
        name_or_path: str or path: a directory, a weight file, an index file,
            or a Hugging Face hub id.
        weight_files: iterable of str, names of weight and index files: the
            first that is there is opened.
        **hub_options: see `keras_led.files.resolve`.

    Returns:
        A `Checkpoint`. Only the headers have been read.

    Raises:
        FileNotFoundError: If there is no such checkpoint, it has no weights,
            or a shard is missing.
        ValueError: If a file is damaged.
        ImportError: If a library that the format needs is missing.
        TypeError: If `weight_files` is a single str.
    """
    weight_files = check_list("weight_files", weight_files, "file names")
    path = Path(name_or_path).expanduser()
    if path.is_file():
        name_or_path, weight_files, hub_options = path.parent, [path.name], {}
    return read_together(
        name_or_path,
        lambda: _open_files(name_or_path, weight_files, hub_options),
        subfolder=hub_options.get("subfolder", ""),
        discard=Checkpoint.close,
    )


def _open_files(name_or_path, weight_files, hub_options):
    """Opens the first of some files that is there, with all its shards."""
    path = resolve(name_or_path, weight_files, **hub_options)
    if path.suffix != ".json":
        return _checkpoint([path])
    index = _read_index(path)
    paths = []
    for shard in sorted(set(index.values())):
        found = resolve(name_or_path, shard, required=False, **hub_options)
        if found is None:
            raise FileNotFoundError(
                f"{path} names the file {shard}, which is missing from "
                f"{name_or_path}. Copy or download it."
            )
        paths.append(found)
    return _checkpoint(paths, index, path)


def _checkpoint(paths, index=None, index_path=None):
    files = []
    try:
        for path in paths:
            files.append(open_weight_file(path))
        return Checkpoint(files, index, index_path)
    except BaseException:
        for file in files:
            file.close()
        raise


def shorten(items: Sequence[str], limit: int = 8) -> str:
    """Writes a list for a message, its end left out when it is long.

    Args:
        items: list of str.
        limit: int, how many to show.

    Returns:
        str.
    """
    shown = ", ".join(str(item) for item in items[:limit])
    more = len(items) - limit
    return f"{shown} and {more} more" if more > 0 else shown


def open_weight_file(path: Path) -> "TensorFile":
    """Opens one file with the reader of its ending.

    Args:
        path: `pathlib.Path`.

    Returns:
        `TensorFile`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or no reader knows its ending.
        ImportError: If a library that the format needs is missing.
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise ValueError(
            f"A weight file must end in {', '.join(_READERS)}. "
            f"Received: {path}."
        )
    with reading(path, "be a weight file"):
        file = reader(path)
        try:
            _check_size(file)
        except ValueError:
            file.close()
            raise
    return file


def _check_size(file):
    """Refuses tensors that a few bytes stand for, by repeating or packing."""
    claimed = sum(
        math.prod(info.shape) * FLOAT_DTYPES[info.dtype].itemsize
        for info in file.infos.values()
        if info.dtype in FLOAT_DTYPES
    )
    if claimed > _MOST_BYTES + 8 * file.path.stat().st_size:
        raise damaged(file.path, f"its tensors would fill {claimed:,} bytes")


def _read_index(path):
    """Returns the table of an index file; refuses names with a directory."""
    table = read_json(path).get("weight_map")
    if not isinstance(table, dict) or not table:
        raise damaged(path, "it has no `weight_map`")
    for name, file in table.items():
        plain = isinstance(file, str) and file and file not in (".", "..")
        if not plain or any(mark in file for mark in "/\\:\0"):
            raise damaged(
                path,
                f"the file of {name} must lie beside it. Received: {file!r}",
            )
    return table


def _dialect(infos, paths):
    """Finds out from the names who wrote a checkpoint."""
    if any(names.from_torch(name) for name in infos):
        return "torch"
    if any(names.from_tensorflow(name) for name in infos):
        return "tensorflow"
    raise damaged(
        shorten(paths),
        f"none of its {len(infos)} tensors has the name of a weight "
        f"({shorten(sorted(infos))})",
    )

"""What every reader of a weight file offers, whatever the format."""

import dataclasses
import os
from pathlib import Path

import ml_dtypes
import numpy as np

from keras_led.files.reading import reading
from keras_led.files.reading import system_error
from keras_led.typing import StrPath

FLOAT_DTYPES = {
    "float64": np.dtype("float64"),
    "float32": np.dtype("float32"),
    "float16": np.dtype("float16"),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
}


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """What the header of a file says about one tensor.

    Args:
        shape: tuple of int.
        dtype: str, numpy's name, or the file's own for a type that is no
            floating-point number of 2, 4 or 8 bytes.
        file: str, path of the file that holds it.
    """

    shape: tuple[int, ...]
    dtype: str
    file: str


class TensorFile:
    """A file of named tensors, read one by one.

    It is opened once: all values are those of one file, whatever takes its
    place meanwhile. Subclasses implement `_open`, which sets `infos`, and
    `_read`.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or of another format.
        OSError: If the file is replaced in this moment.
    """

    infos: dict[str, TensorInfo]

    def __init__(self, path: Path):
        self.path = path
        self.infos = {}
        if not path.is_file():
            raise FileNotFoundError(f"There is no weight file {path}.")
        self._file = open(path, "rb")
        self._state = self._current_state()
        try:
            self._open()
            self._check_place()
        except BaseException:
            self.close()
            raise

    def read(self, name: str) -> np.ndarray:
        """Reads one tensor.

        Args:
            name: str, a key of `infos`.

        Returns:
            A numpy array that owns its memory, of the dtype of the file.

        Raises:
            ValueError: If the tensor is damaged or no floating-point number.
        """
        info = self.infos[name]
        if info.dtype not in FLOAT_DTYPES:
            raise ValueError(
                f"{self.path}: tensor {name} must be of type "
                f"{', '.join(FLOAT_DTYPES)}. Received: dtype={info.dtype}."
            )
        with reading(self.path, f"hold the values of {name}"):
            array = self._read(name)
        if self._current_state() != self._state:
            raise ValueError(
                f"{self.path} must not change while it is read. Received: a "
                "file that another program writes to. Load it again when "
                "that is done."
            )
        return array

    def close(self) -> None:
        """Closes the file. Closing twice is allowed."""
        self._file.close()

    def _current_state(self):
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns

    def _check_place(self):
        """Refuses that a library, which takes a path, opened another file."""
        here = os.fstat(self._file.fileno())
        if not os.path.samestat(here, os.stat(self.path)):
            raise OSError(
                f"{self.path} was replaced while it was opened. Load it again."
            )

    def _open(self):
        raise NotImplementedError

    def _read(self, name):
        raise NotImplementedError


def damaged(path: StrPath, error: BaseException | str) -> OSError | ValueError:
    """Makes the error for a file that cannot be read.

    Args:
        path: path of the file.
        error: the exception, or str, that says why.

    Returns:
        A `ValueError` to raise; see `system_error` for the exception.
    """
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return system_error(path) or ValueError(
        f"{path} cannot be read as a weight file: {reason}. It may be "
        "damaged or cut short; copy or download it again."
    )

"""What every reader of a weight file offers, whatever the format."""

import dataclasses

import ml_dtypes
import numpy as np

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

    shape: tuple
    dtype: str
    file: str


class TensorFile:
    """A file of named tensors, read one by one.

    Subclasses set `infos` when made, and implement `_read`.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or of another format.
    """

    def __init__(self, path):
        self.path = path
        self.infos = {}
        if not path.is_file():
            raise FileNotFoundError(f"There is no weight file {path}.")

    def read(self, name):
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
        return self._read(name)

    def close(self):
        """Closes the file. Closing twice is allowed."""

    def _read(self, name):
        raise NotImplementedError


def damaged(path, error):
    """Makes the error for a file that cannot be read.

    Args:
        path: path of the file.
        error: the exception, or str, that says why.

    Returns:
        A `ValueError` to raise.
    """
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return ValueError(
        f"{path} cannot be read as a weight file: {reason}. It may be "
        "damaged or cut short; copy or download it again."
    )

"""Reads `.safetensors` files."""

import collections
import json

from safetensors import SafetensorError
from safetensors import safe_open

from keras_led.checkpoints.tensor_files import TensorFile
from keras_led.checkpoints.tensor_files import TensorInfo
from keras_led.checkpoints.tensor_files import damaged

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
}
# The library's own limit on the length of a header, in bytes.
_MAX_HEADER_BYTES = 100_000_000


class SafetensorsFile(TensorFile):
    """A `.safetensors` file; `metadata` is the text table of its header.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the header is damaged, names a tensor twice, or does
            not fit the length of the file.
    """

    def __init__(self, path):
        super().__init__(path)
        self._handle = None
        self._reopen()
        try:
            self.metadata = dict(self._handle.metadata() or {})
            for name in self._handle.keys():
                part = self._handle.get_slice(name)
                dtype = part.get_dtype()
                self.infos[name] = TensorInfo(
                    shape=tuple(part.get_shape()),
                    dtype=_DTYPES.get(dtype, dtype),
                    file=str(path),
                )
        except SafetensorError as error:
            raise damaged(path, error) from error
        self._refuse_double_names()

    def close(self):
        if self._handle is not None:
            self._handle.__exit__(None, None, None)
            self._handle = None

    def _read(self, name):
        try:
            return self._handle.get_tensor(name)
        except (SafetensorError, ValueError) as error:
            raise damaged(self.path, f"tensor {name}: {error}") from error

    def _reopen(self):
        self.close()
        try:
            self._handle = safe_open(str(self.path), framework="numpy")
        except (SafetensorError, OSError) as error:
            raise damaged(self.path, error) from error

    def _refuse_double_names(self):
        """The library lets the last of two equal names win, in silence."""
        with open(self.path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = file.read(min(length, _MAX_HEADER_BYTES))
        names = []
        json.loads(header, object_pairs_hook=names.extend)
        counts = collections.Counter(name for name, _ in names)
        double = [name for name in self.infos if counts[name] > 1]
        if double:
            raise damaged(self.path, f"it names {double[0]} twice")

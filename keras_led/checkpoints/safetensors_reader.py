"""Reads `.safetensors` files."""

import collections
import json

import numpy as np
from safetensors import SafetensorError
from safetensors import safe_open

from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.checkpoints.tensor_files import TensorFile
from keras_led.checkpoints.tensor_files import TensorInfo
from keras_led.checkpoints.tensor_files import damaged

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
}


class SafetensorsFile(TensorFile):
    """A `.safetensors` file; `metadata` is the text table of its header.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the header is damaged, names a tensor twice, or does
            not fit the length of the file.
    """

    metadata: dict[str, str]

    def _open(self):
        path = self.path
        try:
            # The library checks the header: its length, its JSON, and that
            # the tensors fill the rest of the file without a gap.
            with safe_open(str(path), framework="numpy") as handle:
                self.metadata = dict(handle.metadata() or {})
                names = list(handle.keys())
        except (SafetensorError, OSError) as error:
            raise damaged(path, error) from error
        self._header, self._start = self._read_header(names)
        for name in names:
            entry = self._header[name]
            dtype = _DTYPES.get(entry["dtype"], entry["dtype"])
            self.infos[name] = TensorInfo(
                shape=tuple(entry["shape"]),
                dtype=dtype,  # pyright: ignore[reportArgumentType]
                file=str(path),
            )

    def _read(self, name):
        info = self.infos[name]
        # Plain reads: the pages of a mapped file would count as memory of
        # this process, next to the copy.
        begin, end = self._header[name]["data_offsets"]
        dtype = FLOAT_DTYPES[info.dtype]
        count = (end - begin) // dtype.itemsize
        self._file.seek(self._start + begin)
        array = np.fromfile(self._file, dtype, count)
        if array.size != count:
            raise damaged(self.path, f"tensor {name} is cut short")
        return array.reshape(info.shape)

    def _read_header(self, names):
        """Returns the header and where the tensors begin, in bytes.

        The library lets the last of two equal names win, in silence; here
        they are an error.
        """
        length = int.from_bytes(self._file.read(8), "little")
        text = self._file.read(length)
        pairs = []
        header = json.loads(text, object_pairs_hook=_Pairs(pairs))
        counts = collections.Counter(pairs)
        double = [name for name in names if counts[name] > 1]
        if double:
            raise damaged(self.path, f"it names {double[0]} twice")
        return header, 8 + length


class _Pairs:
    """Makes JSON objects, and notes all of their keys."""

    def __init__(self, keys):
        self.keys = keys

    def __call__(self, pairs):
        self.keys.extend(key for key, _ in pairs)
        return dict(pairs)

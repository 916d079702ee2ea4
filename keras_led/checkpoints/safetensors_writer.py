"""Writes `.safetensors` files tensor by tensor.

The library's own `save_file` wants all tensors in memory at once. The format
is a length of 8 bytes, a JSON header with the place of each tensor, and the
tensors one after the other; it is specified at
https://github.com/safetensors/safetensors#format.
"""

import dataclasses
import json
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
}
_ALIGNMENT = 8


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor that is going to be written.

    Args:
        name: str, its name in the file.
        shape: tuple of int, its shape in the file.
        dtype: numpy dtype, its type in the file.
        read: callable without arguments that returns the values, of this
            shape and of any floating-point type.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[..., Any]

    @property
    def nbytes(self) -> int:
        """int, size in bytes."""
        count = 1
        for size in self.shape:
            count *= size
        return count * self.dtype.itemsize

    def values(self) -> np.ndarray:
        """Returns the values as a C-contiguous array of the right type."""
        array = np.ascontiguousarray(self.read(), dtype=self.dtype)
        if array.shape != tuple(self.shape):
            raise ValueError(
                f"Tensor {self.name} must have shape {self.shape}. Received: "
                f"shape={array.shape}."
            )
        return array


def write_safetensors(
    path: Path,
    tensors: Sequence[Any],
    file_format: str = "pt",
    progress: Callable[[int], object] | None = None,
) -> None:
    """Writes one file; the caller sees to it that it appears at once.

    Args:
        path: path of the file, made anew.
        tensors: list of `Tensor`, written in this order.
        file_format: str, whose names and axes the tensors have: `"pt"` for
            PyTorch, as `transformers` wants to know.
        progress: callable that takes the number of bytes just written, or
            `None`.
    """
    header = {"__metadata__": {"format": file_format}}
    position = 0
    # Wide types first, so that every tensor lies at a multiple of its width.
    tensors = sorted(tensors, key=lambda tensor: -tensor.dtype.itemsize)
    for tensor in tensors:
        end = position + tensor.nbytes
        header[tensor.name] = {  # pyright: ignore[reportArgumentType]
            "dtype": _DTYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % _ALIGNMENT)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for tensor in tensors:
            values = tensor.values().reshape(-1)
            file.write(values.view(np.uint8).data)
            if progress is not None:
                progress(values.nbytes)

"""Writes `tf_model.h5` files, as `transformers` 4 read and wrote them."""

import contextlib
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.checkpoints import sharding
from keras_led.files.atomic import write_json

if TYPE_CHECKING:
    pass

# The model name that TensorFlow put into the names of variables. On reading
# it does not count.
_MODEL_NAMES = {
    None: "tfled_model",
    "generation": "tfled_for_conditional_generation",
}
_SHARED = "led.shared/"
# HDF5 keeps an attribute of at most 64 KiB; Keras splits longer ones.
_MAX_ATTRIBUTE_BYTES = 64512


def write_tensorflow_shards(
    tensors: Sequence[Any],
    directory: Path,
    head: str | None,
    max_shard_size: int | str,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Writes `tf_model.h5`, or shards with an index, into a directory.

    Args:
        tensors: list of `Tensor` with the names of `names.to_tensorflow`.
        directory: `pathlib.Path` of an empty directory.
        head: `None` or `"generation"`; TensorFlow's LED had no other.
        max_shard_size: int or str, see `sharding.parse_size`.
        progress: callable that takes the number of bytes just written, or
            `None`.

    Raises:
        ValueError: If the head is one that TensorFlow's LED did not have, or
            a type one that HDF5 does not have.
    """
    if head not in _MODEL_NAMES:
        raise ValueError(
            "transformers 4 has a TensorFlow LED without a head and one for "
            f"generation only. Received: head={head!r}. Choose another format."
        )
    if any(tensor.dtype.name == "bfloat16" for tensor in tensors):
        raise ValueError(
            "HDF5 has no bfloat16. Received: dtype=bfloat16. Choose "
            "dtype=float16 or float32."
        )
    shards = sharding.split(tensors, max_shard_size)
    files = sharding.shard_names("tf_model", ".h5", len(shards))
    model = _MODEL_NAMES[head]
    if len(shards) == 1:
        _write_layers(directory / files[0], tensors, model, progress)
        return
    for file, shard in zip(files, shards, strict=True):
        _write_flat(directory / file, shard, progress)
    table = sharding.index(files, shards)
    table["weight_map"] = {
        _full_name(name, model): file
        for name, file in table["weight_map"].items()
    }
    write_json(directory / "tf_model.h5.index.json", table)


@contextlib.contextmanager
def _new_file(path):
    """Opens a new HDF5 file; raises what the disk says at the first chance.

    Args:
        path: path of the file, made anew.

    Yields:
        A pair of the `h5py.File` and a callable that raises the `OSError` of
        a write that failed, if one did.

    Raises:
        OSError: If a write failed, for example on a full disk.
    """
    import h5py

    with open(path, "w+b", buffering=0) as opened:
        output = _Output(opened)
        try:
            with h5py.File(output, "w") as file:
                yield file, output.check
        finally:
            output.check()


class _Output:
    """A file whose first failed write is kept, and the later ones left out.

    HDF5 does not survive a full disk: it cannot close its file, and the
    process ends with a segmentation fault. So it does not hear of it.

    Args:
        file: unbuffered binary file.
    """

    def __init__(self, file):
        self._file = file
        self._error = None

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, data):
        data = memoryview(data)
        done = 0
        while self._error is None and done < data.nbytes:
            try:
                done += self._file.write(data[done:])
            except OSError as error:
                self._error = error
        return data.nbytes

    def truncate(self, size):
        try:
            if self._error is None:
                self._file.truncate(size)
        except OSError as error:
            self._error = error
        return size

    def check(self):
        """Raises what went wrong."""
        if self._error is not None:
            raise OSError(
                self._error.errno, self._error.strerror, self._file.name
            )


def _write_layers(path, tensors, model, progress):
    """Writes one file as Keras' `save_weights` did: a group for each layer."""
    groups = {}
    for tensor in tensors:
        layer = "led" if "/" in tensor.name else tensor.name.split(":")[0]
        groups.setdefault(layer, []).append(tensor)
    with _new_file(path) as (file, check):
        _set_names(file, "layer_names", list(groups))
        file.attrs["backend"] = "tensorflow"
        file.attrs["keras_version"] = "2.19.0"
        for layer, members in groups.items():
            group = file.create_group(layer)
            full_names = [_full_name(t.name, model) for t in members]
            _set_names(group, "weight_names", full_names)
            for tensor, name in zip(members, full_names, strict=True):
                _write(group, name, tensor, progress)
                check()
        top = file.create_group("top_level_model_weights")
        _set_names(top, "weight_names", [])


def _write_flat(path, tensors, progress):
    """Writes one shard: data sets without groups for layers."""
    with _new_file(path) as (file, check):
        flat = [_flat_name(tensor.name) for tensor in tensors]
        for tensor, name in zip(tensors, flat, strict=True):
            _write(file, name, tensor, progress)
            check()
        _set_names(file, "layer_names", flat)


def _write(group, name, tensor, progress):
    values = tensor.values()
    group.create_dataset(name, data=values)
    if progress is not None:
        progress(values.nbytes)


def _full_name(name, model):
    """`led/encoder/…` -> `tfled_model/led/encoder/…`."""
    if name.startswith(_SHARED) or "/" not in name:
        return name
    return f"{model}/{name}"


def _flat_name(name):
    """`led.shared/led.shared/embeddings:0` -> `led.shared/embeddings:0`."""
    return name.replace(_SHARED * 2, _SHARED, 1)


def _set_names(group, key, texts):
    """Stores a list of names; in parts where it is too long for HDF5."""
    encoded = np.array([text.encode("utf-8") for text in texts], dtype="S")
    if encoded.nbytes <= _MAX_ATTRIBUTE_BYTES:
        group.attrs[key] = encoded
        return
    count = -(-encoded.nbytes // _MAX_ATTRIBUTE_BYTES)
    for number, part in enumerate(np.array_split(encoded, count)):
        group.attrs[f"{key}{number}"] = part

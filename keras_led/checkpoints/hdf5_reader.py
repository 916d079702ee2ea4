"""Reads `tf_model.h5` files of `transformers` before version 5."""

import numpy as np

from keras_led.checkpoints.tensor_files import TensorFile
from keras_led.checkpoints.tensor_files import TensorInfo
from keras_led.checkpoints.tensor_files import damaged

# What h5py raises for damaged files.
_H5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError)


class Hdf5File(TensorFile):
    """An HDF5 file; the name of a tensor is the path of its data set.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, or points to other files.
    """

    _hdf5 = None

    def _open(self):
        import h5py

        try:
            self._hdf5 = h5py.File(self.path, "r")
            # Links to other files are not followed by `visititems`.
            self._hdf5.visititems(self._add)
        except _H5_ERRORS as error:
            raise damaged(self.path, error) from error

    def close(self) -> None:
        super().close()
        if self._hdf5 is not None:
            self._hdf5.close()

    def _add(self, name, item):
        shape = getattr(item, "shape", None)
        if shape is None:
            return
        if not isinstance(name, str):  # h5py's form of a name not in UTF-8
            raise ValueError(f"{name!r} is no name of a data set")
        if item.external or item.is_virtual:
            raise ValueError(f"data set {name} lies in another file")
        self.infos[name] = TensorInfo(
            shape=tuple(shape), dtype=str(item.dtype), file=str(self.path)
        )

    def _read(self, name):
        try:
            return np.asarray(self._hdf5[name][()])
        except _H5_ERRORS as error:
            raise damaged(self.path, f"data set {name}: {error}") from error

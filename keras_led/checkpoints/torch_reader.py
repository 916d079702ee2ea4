"""Reads `pytorch_model.bin` files, without running what a pickle asks for."""

import os
import pickle
import warnings
import zipfile

import numpy as np

from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.checkpoints.tensor_files import TensorFile
from keras_led.checkpoints.tensor_files import TensorInfo
from keras_led.checkpoints.tensor_files import damaged

# Pages of a mapped file count as memory of the process for as long as the
# mapping lives, so the file is mapped anew after this many bytes.
REMAP_BYTES = 32 * 2**20

# Training frameworks wrap the weights once more.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "module")


class TorchFile(TensorFile):
    """A file written by `torch.save`, read with `weights_only=True`.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If PyTorch is not installed.
        ValueError: If the file is damaged, or holds anything but tensors.
    """

    def _open(self):
        self._is_zip = zipfile.is_zipfile(self._file)
        self._check_zip()
        self._map()
        self._check_storages()
        for name, tensor in self._tensors.items():
            self.infos[name] = TensorInfo(
                shape=tuple(tensor.shape),
                dtype=str(tensor.dtype).removeprefix("torch."),
                file=str(self.path),
            )

    def close(self) -> None:
        super().close()
        self._tensors = {}

    def _read(self, name):
        if self._bytes_read >= REMAP_BYTES:
            self._map()
        array = self._to_numpy(name)
        self._bytes_read += array.nbytes
        return array

    def _to_numpy(self, name):
        import torch

        tensor = self._tensors[name].detach()
        try:
            if tensor.dtype == torch.bfloat16:
                bits = tensor.contiguous().view(torch.int16).numpy()
                return bits.view(FLOAT_DTYPES["bfloat16"]).copy()
            # A copy: the tensor lies in the mapped file.
            return np.array(tensor.numpy(), order="C")
        except (RuntimeError, TypeError) as error:
            raise damaged(self.path, f"tensor {name}: {error}") from error

    def _check_zip(self):
        """Checks the sums that a zip archive keeps of its members."""
        if not self._is_zip:
            return
        try:
            with zipfile.ZipFile(self._file) as archive:
                packed = [
                    member.filename
                    for member in archive.infolist()
                    if member.compress_type != zipfile.ZIP_STORED
                ]
                self._data_bytes = sum(
                    member.file_size
                    for member in archive.infolist()
                    if "/data/" in member.filename
                )
                # PyTorch never compresses, so this may be a bomb.
                bad = packed[0] if packed else archive.testzip()
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise damaged(self.path, error) from error
        if bad is not None:
            raise damaged(self.path, f"its part {bad} has a wrong checksum")

    def _check_storages(self):
        """Refuses data that is shorter than the pickle says.

        Mapped, a tensor would go on with the bytes of its neighbor.
        """
        storages = [t.untyped_storage() for t in self._tensors.values()]
        # Tied tables share one storage.
        claimed = {s.data_ptr(): s.nbytes() for s in storages}
        if self._is_zip and sum(claimed.values()) > self._data_bytes:
            raise damaged(self.path, "its tensors are longer than its data")

    def _map(self):
        self._tensors = {}
        self._bytes_read = 0
        content = self._load()
        for wrapper in _WRAPPERS:
            if isinstance(content, dict) and isinstance(
                content.get(wrapper), dict
            ):
                content = content[wrapper]
        if not isinstance(content, dict):
            raise damaged(
                self.path, f"it holds a {type(content).__name__}, not tensors"
            )
        import torch

        for name, tensor in content.items():
            if not isinstance(name, str) or not isinstance(
                tensor, torch.Tensor
            ):
                raise damaged(self.path, f"{name!r} is not a named tensor")
            if tensor.layout != torch.strided or tensor.is_quantized:
                raise damaged(self.path, f"tensor {name} is not dense")
            self._tensors[name] = tensor

    def _mappable_path(self):
        """A path of the file that is open: PyTorch maps paths only."""
        path = f"/proc/self/fd/{self._file.fileno()}"
        if os.path.exists(path):
            return path
        self._check_place()
        return self.path

    def _load(self):
        try:
            import torch
        except ImportError as error:
            raise ImportError(
                f"Reading {self.path} needs PyTorch. Install it with "
                "`pip install torch`, or use a `model.safetensors` file."
            ) from error
        self._file.seek(0)
        try:
            with warnings.catch_warnings():
                # About pickle protocols that torch may not know in full; when
                # it does not, there is an error as well.
                warnings.simplefilter("ignore")
                return torch.load(
                    # Files from before PyTorch 1.6 are no zip archives, and
                    # such cannot be mapped.
                    self._mappable_path() if self._is_zip else self._file,
                    map_location="cpu",
                    weights_only=True,
                    mmap=self._is_zip,
                )
        except pickle.UnpicklingError as error:
            raise ValueError(
                f"{self.path} must hold tensors only, but its pickle asks for "
                "something else, or is damaged. Nothing of it was run: "
                f"{str(error).splitlines()[0]}"
            ) from error
        except Exception as error:
            # A damaged pickle makes torch fail in any way: KeyError,
            # IndexError, AttributeError, EOFError, RuntimeError, …
            raise damaged(self.path, error) from error

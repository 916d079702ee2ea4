"""Writes a checkpoint of any family as an LED, with a report."""

import dataclasses
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led._version import __version__
from keras_led.checkpoints import names
from keras_led.checkpoints import saving
from keras_led.checkpoints import sharding
from keras_led.checkpoints.card import write_card
from keras_led.checkpoints.hdf5_writer import write_tensorflow_shards
from keras_led.checkpoints.memory import Trimmer
from keras_led.checkpoints.older_files import older_files
from keras_led.checkpoints.safetensors_writer import Tensor
from keras_led.checkpoints.table import HEAD_OF_ARCHITECTURE
from keras_led.files.atomic import replaced_directory
from keras_led.files.atomic import staged_directory
from keras_led.files.atomic import write_json
from keras_led.files.publishing import holds_something
from keras_led.typing import StrPath

if TYPE_CHECKING:
    import numpy as np

    from keras_led.checkpoints.weight_set import WeightSet

REPORT_NAME = "conversion_report.json"

# Weights that could be taken for those of the conversion.
_WEIGHTS = (
    ("model", ".safetensors"),
    ("pytorch_model", ".bin"),
    ("tf_model", ".h5"),
    ("model", ".keras"),
    ("model", ".weights.h5"),
)


def convert(
    source: "WeightSet",
    target: StrPath,
    *,
    to: str = "safetensors",
    dtype: str | None = None,
    max_shard_size: int | str = "5GB",
    force: bool = False,
    progress: Callable[[int], object] | None = None,
    writers: dict[str, Callable[..., Any]] | None = None,
) -> dict[str, Any]:
    """Writes a directory with an LED in the format asked for.

    Nothing appears at `target` before everything is written.

    Args:
        source: `WeightSet`, see `families.read_source`.
        target: str or path of a directory.
        to: str, `"safetensors"`, `"tf-h5"`, or a key of `writers`.
        dtype: str, `"float32"`, `"float16"` or `"bfloat16"`. Defaults to the
            types of the source.
        max_shard_size: int, bytes, or str such as `"5GB"`.
        force: bool, whether a `target` that is not empty may be written to.
        progress: callable that takes the number of bytes just written, or
            `None`.
        writers: dict of more formats to callables `(tensors, directory)`,
            where the tensors have the names of `names.py` and Keras' layout.

    Returns:
        The report, a dict that holds for each tensor its name in the source
        and in the target, its shape, type, whether its axes were swapped, and
        the CRC-32 of its values in the target.

    Raises:
        FileExistsError: If `target` is not empty and `force` is `False`.
        ValueError: If an argument is out of range.
    """
    target = Path(target)
    check_target(target, force)
    sharding.parse_size(max_shard_size)
    formats = {"safetensors": "pt", "tf-h5": "tf", **(writers or {})}
    if to not in formats:
        raise ValueError(
            f"`to` must be one of {', '.join(formats)}. Received: to={to!r}."
        )
    rows, trimmer = {}, Trimmer()
    tensors = [
        _tensor(weight, to, source.head, dtype, rows, trimmer)
        for weight in source.weights
    ]
    with _staged(target, force) as staging:
        if to == "safetensors":
            saving.write_shards(tensors, staging, max_shard_size, progress)
        elif to == "tf-h5":
            write_tensorflow_shards(
                tensors, staging, source.head, max_shard_size, progress
            )
        else:
            writers[to](tensors, staging)
        report = _report(source, to, rows)
        _write_side_files(source, staging, to, report)
    return report


def check_target(target: Path, force: bool) -> None:
    """Refuses a target that holds something.

    Args:
        target: `pathlib.Path`.
        force: bool, whether it may hold something.

    Raises:
        FileExistsError: If it does and may not.
        NotADirectoryError: If it is a file.
    """
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(
            f"`target` must be a directory. Received: target={target}."
        )
    if target.is_dir() and not force and holds_something(target):
        raise FileExistsError(
            "`target` must be a new or an empty directory. Received: "
            f"target={target}, which is not empty. Pass --force to write "
            "into it."
        )


def _tensor(weight, to, head, dtype, rows, trimmer):
    """The tensor to write for a weight; reading it fills in its report."""
    if to == "safetensors":
        name = names.to_torch(weight.name, names.BODY if head else "")
        swapped = names.is_transposed(weight.name)
    else:
        name = weight.name
        if to == "tf-h5":
            name = names.to_tensorflow(name)
        swapped = False
    row = {
        "source": weight.source,
        "target": name,
        "shape": list(weight.shape[::-1] if swapped else weight.shape),
        "dtype": saving.target_dtype(dtype, weight).name,
        "transposed": swapped != weight.transposed,
    }
    rows[name] = row

    def read():
        values = weight.read()
        return values.T if swapped else values

    return _Checked(
        name=name,
        shape=tuple(row["shape"]),
        dtype=saving.target_dtype(dtype, weight),
        read=read,
        row=row,
        trimmer=trimmer,
    )


@dataclasses.dataclass(frozen=True)
class _Checked(Tensor):
    """A tensor that notes the checksum of its values when they are read."""

    row: dict[str, Any] = None  # pyright: ignore[reportAssignmentType]
    trimmer: Trimmer = None  # pyright: ignore[reportAssignmentType]

    def values(self):
        array = super().values()
        self.row["crc32"] = checksum(array)
        self.trimmer.add(array.nbytes)
        return array


def checksum(array: "np.ndarray") -> str:
    """Returns the CRC-32 of the bytes of an array, as 8 hexadecimal digits.

    Args:
        array: C-contiguous numpy array.

    Returns:
        str.
    """
    return f"{zlib.crc32(array.reshape(-1).view('uint8').data):08x}"


def _report(source, to, rows):
    return {
        "family": source.family,
        "source": source.source,
        "format": to,
        "head": source.head,
        "keras_led_version": __version__,
        "tensors": list(rows.values()),
    }


def _write_side_files(source, staging, to, report):
    """Writes all that a Hugging Face directory holds beside the weights."""
    config = source.config.copy()
    config.architectures = [
        {head: name for name, head in HEAD_OF_ARCHITECTURE.items()}[source.head]
    ]
    types = {row["dtype"] for row in report["tensors"]}
    if len(types) == 1:
        config.torch_dtype = types.pop()
        config.extras.pop("dtype", None)
    config.save_pretrained(staging)
    for name, content in source.side_files.items():
        (staging / name).write_bytes(content)
    write_card(staging, config, report)
    write_json(staging / REPORT_NAME, report)


def _staged(target, force):
    """A directory for the new files, beside which no older weights stay."""
    if force:
        return staged_directory(target, older_files(*_WEIGHTS))
    return replaced_directory(target, overwrite=False)

"""Writes the weights of a model as TensorFlow's LED of `transformers` 4."""

from collections.abc import Callable
from pathlib import Path

from keras_led.checkpoints import names
from keras_led.checkpoints import sharding
from keras_led.checkpoints.hdf5_writer import write_tensorflow_shards
from keras_led.checkpoints.older_files import older_files
from keras_led.checkpoints.saving import model_tensors
from keras_led.files.atomic import staged_directory
from keras_led.typing import AnyLED
from keras_led.typing import StrPath


def save_tensorflow_weights(
    model: AnyLED,
    directory: StrPath,
    max_shard_size: int | str = "5GB",
    write_beside: Callable[[Path], object] | None = None,
) -> None:
    """Writes `tf_model.h5`, or shards of it with an index.

    Nothing in `directory` changes before all is written; then it changes in
    one step, and shards of an older save are removed.

    Args:
        model: LED model without a head, or the one for generation.
        directory: str or path, made when missing.
        max_shard_size: int, bytes, or str such as `"5GB"`.
        write_beside: callable that takes a directory and writes the files
            that belong to the weights into it, or `None`.

    Raises:
        ValueError: If `max_shard_size` is out of range, or a weight has a
            type that HDF5 lacks.
    """
    sharding.parse_size(max_shard_size)
    tensors = model_tensors(model, dialect="tensorflow")
    has_head = any(
        tensor.name == f"{names.FINAL_LOGITS_BIAS}:0" for tensor in tensors
    )
    obsolete = older_files(("tf_model", ".h5"))
    with staged_directory(directory, obsolete) as staging:
        write_tensorflow_shards(
            tensors,
            staging,
            "generation" if has_head else None,
            max_shard_size,
        )
        if write_beside is not None:
            write_beside(staging)

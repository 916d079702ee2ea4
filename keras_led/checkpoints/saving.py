"""Writes the weights of a model as a Hugging Face checkpoint."""

import functools
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.checkpoints import names
from keras_led.checkpoints import sharding
from keras_led.checkpoints.checkpoint import SAFETENSORS_INDEX
from keras_led.checkpoints.older_files import older_files
from keras_led.checkpoints.safetensors_writer import Tensor
from keras_led.checkpoints.safetensors_writer import write_safetensors
from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.files.atomic import staged_directory
from keras_led.files.atomic import write_json
from keras_led.typing import AnyLED
from keras_led.typing import StrPath

if TYPE_CHECKING:
    import keras


def save_pretrained_weights(
    model: AnyLED,
    directory: StrPath,
    max_shard_size: int | str = "5GB",
    dtype: str | None = None,
    progress: Callable[[int], object] | None = None,
    write_beside: Callable[[Path], object] | None = None,
) -> None:
    """Writes `model.safetensors` with PyTorch's names, or shards of it.

    `transformers` loads the result without a missing or an unexpected key.
    Nothing in `directory` changes before all is written; then, in one step,
    the new files take the place of the old ones, and shards of an older save
    are removed.

    Args:
        model: LED model.
        directory: str or path, made when missing.
        max_shard_size: int, bytes, or str such as `"5GB"`: the largest size
            of a file. A tensor is never split.
        dtype: str, `"float32"`, `"float16"` or `"bfloat16"`. Defaults to the
            type of each variable.
        progress: callable that takes the number of bytes just written, or
            `None`.
        write_beside: callable that takes a directory and writes the files
            that belong to the weights into it, or `None`. They come to
            `directory` in the same step as the weights.

    Raises:
        ValueError: If an argument is out of range, or the model has
            quantized weights.
    """
    write_checkpoint(
        model_tensors(model, dtype),
        directory,
        max_shard_size,
        progress,
        write_beside,
    )


def write_checkpoint(
    tensors: Sequence[Any],
    directory: StrPath,
    max_shard_size: int | str = "5GB",
    progress: Callable[[int], object] | None = None,
    write_beside: Callable[[Path], object] | None = None,
) -> None:
    """Writes tensors as `model.safetensors`, or as shards with an index.

    Args:
        tensors: list of `Tensor` with PyTorch's names.
        directory: str or path, made when missing.
        max_shard_size: see `save_pretrained_weights`.
        progress: see `save_pretrained_weights`.
        write_beside: see `save_pretrained_weights`.
    """
    sharding.parse_size(max_shard_size)
    obsolete = older_files(("model", ".safetensors"))
    with staged_directory(directory, obsolete) as staging:
        write_shards(tensors, staging, max_shard_size, progress)
        if write_beside is not None:
            write_beside(staging)


def write_shards(
    tensors: Sequence[Any],
    directory: Path,
    max_shard_size: int | str,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Writes the files of `write_checkpoint` where nothing can go wrong.

    Args:
        tensors: list of `Tensor` with PyTorch's names.
        directory: `pathlib.Path` of an empty directory.
        max_shard_size: see `save_pretrained_weights`.
        progress: see `save_pretrained_weights`.
    """
    shards = sharding.split(tensors, max_shard_size)
    files = sharding.shard_names("model", ".safetensors", len(shards))
    for file, shard in zip(files, shards, strict=True):
        write_safetensors(directory / file, shard, progress=progress)
    if len(shards) > 1:
        write_json(directory / SAFETENSORS_INDEX, sharding.index(files, shards))


def model_tensors(
    model: AnyLED, dtype: str | None = None, dialect: str = "torch"
) -> list[Tensor]:
    """Lists the weights of a model under the names and axes of a dialect.

    Args:
        model: LED model, or any object whose `weights` have `path`, `shape`
            and `dtype`.
        dtype: see `save_pretrained_weights`.
        dialect: `"torch"` or `"tensorflow"`, whose axes are those of Keras.

    Returns:
        List of `Tensor`; the values are read when they are asked for. LoRA
        adapters are merged into the weights that they change.
    """
    prefix = names.BODY if _has_prefix(model) else ""
    merged = _merged_tables(model)
    tensors = []
    for variable in model.weights:
        name = names.from_variable(variable.path)
        if name.rpartition("/")[2].startswith("lora_"):
            continue
        swapped = dialect == "torch" and names.is_transposed(name)
        tensors.append(
            Tensor(
                name=(
                    names.to_torch(name, prefix)
                    if dialect == "torch"
                    else names.to_tensorflow(name)
                ),
                shape=tuple(variable.shape)[:: -1 if swapped else 1],
                dtype=target_dtype(dtype, variable),
                read=_reader(variable, merged.get(variable.path), swapped),
            )
        )
    return tensors


def target_dtype(dtype: str | None, variable: Any) -> np.dtype:
    """Returns the numpy type under which a variable is written.

    Args:
        dtype: str as the user gave it, or `None`.
        variable: object with `path` and `dtype`.
    """
    allowed = ("float32", "float16", "bfloat16")
    if dtype is not None and dtype not in allowed:
        raise ValueError(
            f"`dtype` must be one of {', '.join(allowed)}, or None to keep "
            f"the type of each variable. Received: dtype={dtype!r}."
        )
    held = str(variable.dtype)
    if held not in FLOAT_DTYPES:
        raise ValueError(
            "Only floating-point weights can be written for Hugging Face. "
            f"Received: {variable.path} of dtype={held}. Save a quantized "
            "model with `model.save('model.keras')`."
        )
    return FLOAT_DTYPES[dtype or held]


def merged_value(layer: "keras.layers.Layer", name: str) -> np.ndarray:
    """The weight of a layer with its LoRA adapters added.

    Keras' own `layer.kernel` is of the compute dtype: under mixed precision
    the weight would lose digits.

    Args:
        layer: Keras layer whose LoRA is on.
        name: str, "kernel" or "embeddings".

    Returns:
        Float32 numpy array.
    """
    from keras import ops

    base, first, second = (
        ops.convert_to_numpy(ops.cast(getattr(layer, attribute), "float32"))
        for attribute in (f"_{name}", f"lora_{name}_a", f"lora_{name}_b")
    )
    return base + layer.lora_alpha / layer.lora_rank * (first @ second)


def _merged_tables(model):
    """Returns how to compute each weight that LoRA adapters change."""
    merged = {}
    for layer in getattr(model, "_flatten_layers", list)():
        if getattr(layer, "lora_enabled", False):
            for name in ("kernel", "embeddings"):
                variable = getattr(layer, f"_{name}", None)
                if variable is not None:
                    merged[variable.path] = functools.partial(
                        merged_value, layer, name
                    )
    return merged


def _has_prefix(model):
    """Whether the weights lie below `led/`, as in every model with a head."""
    return any(f"/{names.BODY}/" in v.path for v in model.weights)


def _reader(variable, merged, swapped):
    def read():
        from keras import ops

        if merged is None:
            array = np.asarray(ops.convert_to_numpy(variable.value))
        else:
            array = merged()
        return array.T if swapped else array

    return read

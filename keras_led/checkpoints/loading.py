"""Fills a model with the weights of a checkpoint."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.checkpoints import names
from keras_led.checkpoints.checkpoint import open_checkpoint
from keras_led.checkpoints.matching import expected_shapes
from keras_led.checkpoints.matching import find_sources
from keras_led.checkpoints.matching import read_source
from keras_led.checkpoints.memory import Trimmer
from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.typing import AnyLED
from keras_led.typing import StrPath

if TYPE_CHECKING:
    import keras

    from keras_led.checkpoints.checkpoint import Checkpoint
    from keras_led.checkpoints.mapped import MappedCheckpoint
    from keras_led.checkpoints.matching import Source
    from keras_led.config import LEDConfig


def load_pretrained_weights(
    model: AnyLED,
    name_or_path: StrPath,
    *,
    ignore_mismatched_sizes: bool = False,
    **hub_options: Any,
) -> "list[keras.Variable]":
    """Fills a model with the weights of a directory or hub model.

    Reads `model.safetensors`, `pytorch_model.bin`, `tf_model.h5`, and each of
    them in shards, in this order of preference. All names and shapes are
    checked before the first variable changes. Values are read one tensor
    after the other and cast to the dtype of their variable.

    Weights of a head that the model does not have are left out. A head that
    the checkpoint does not have at all stays as it was initialized, with a
    warning.

    Args:
        model: LED model with all its variables.
        name_or_path: str or path: a directory, a weight file, or a Hugging
            Face hub id.
        ignore_mismatched_sizes: bool. If `True`, a weight of another shape
            than in the model stays as it was initialized, with a warning.
        **hub_options: `revision`, `token`, `cache_dir`, `local_files_only`,
            `subfolder`; see `keras_led.files.resolve`.

    Returns:
        List of the variables that kept their values.

    Raises:
        FileNotFoundError: If there are no such weights.
        ValueError: If a file is damaged, or tensors are missing, unexpected
            or of a wrong shape: all of them are listed.
        ImportError: If a `.bin` file is given and PyTorch is missing.
    """
    with open_checkpoint(name_or_path, **hub_options) as checkpoint:
        return load_weights(
            model,
            checkpoint,
            name_or_path,
            ignore_mismatched_sizes=ignore_mismatched_sizes,
        )


def build_and_load(
    build: Callable[..., Any],
    config: "LEDConfig",
    head: str | None,
    checkpoint: "Checkpoint",
    where: StrPath,
    *,
    ignore_mismatched_sizes: bool = False,
) -> "tuple[Any, list[keras.Variable]]":
    """Makes a model for an open checkpoint, and fills it.

    Names and shapes are checked before the model is built: a config of
    another size costs no memory.

    Args:
        build: callable without arguments that makes the model.
        config: `LEDConfig` of the model.
        head: str or `None`; see `table.weight_shapes`.
        checkpoint: `Checkpoint`.
        where: str or path, how messages call the checkpoint.
        ignore_mismatched_sizes: see `load_pretrained_weights`.

    Returns:
        Pair of the model and the list of its variables that kept their
        values.

    Raises:
        ValueError: See `load_pretrained_weights`.
    """
    options = {"ignore_mismatched_sizes": ignore_mismatched_sizes}
    shapes = expected_shapes(config, head, checkpoint, where)
    sources = find_sources(shapes, checkpoint, where, **options)
    model = build()
    if shapes != _shapes(_variables(model)):
        # A subclass with weights of its own, or quantized ones.
        sources = None
    kept = load_weights(model, checkpoint, where, sources=sources, **options)
    return model, kept


def load_weights(
    model: AnyLED,
    checkpoint: "Checkpoint | MappedCheckpoint",
    where: StrPath = "the checkpoint",
    *,
    ignore_mismatched_sizes: bool = False,
    sources: "dict[str, Source] | None" = None,
) -> "list[keras.Variable]":
    """Fills a model with the weights of an open checkpoint.

    Args:
        model: LED model, or any object whose `weights` have `path`, `shape`,
            `dtype` and `assign`.
        checkpoint: `Checkpoint`.
        where: str or path, how messages call the checkpoint.
        ignore_mismatched_sizes: see `load_pretrained_weights`.
        sources: dict of `find_sources` for this model, or `None` to find
            them here.

    Returns:
        List of the variables that kept their values.
    """
    variables = _variables(model)
    shapes = _shapes(variables)
    if sources is None:
        sources = find_sources(
            shapes,
            checkpoint,
            where,
            ignore_mismatched_sizes=ignore_mismatched_sizes,
        )
    trimmer = Trimmer()
    trimmer.trim()
    for name, source in sources.items():
        variable = variables[name]
        dtype = FLOAT_DTYPES[str(variable.dtype)]
        if source.tensor is None:
            variable.assign(np.zeros(shapes[name], dtype))
            continue
        array = read_source(checkpoint, source).astype(dtype, copy=False)
        trimmer.add(array.nbytes)
        variable.assign(array)
        del array
    trimmer.trim()
    return [v for name, v in variables.items() if name not in sources]


def _variables(model):
    """The variables of a model by the names of its weights."""
    return {names.from_variable(v.path): v for v in model.weights}


def _shapes(variables):
    return {name: tuple(v.shape) for name, v in variables.items()}

"""Finds the tensor of each weight; everything that is wrong is one error."""

import dataclasses
import warnings
import zlib
from typing import TYPE_CHECKING

from keras_led.checkpoints import names
from keras_led.checkpoints.checkpoint import shorten
from keras_led.checkpoints.table import weight_shapes
from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.typing import StrPath

if TYPE_CHECKING:
    import numpy as np

    from keras_led.checkpoints.checkpoint import Checkpoint
    from keras_led.checkpoints.mapped import MappedCheckpoint
    from keras_led.config import LEDConfig


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the values of one weight come from.

    Args:
        tensor: str, name of a tensor of the checkpoint; `None` for zeros.
        transposed: bool, whether its two axes have to be swapped.
    """

    tensor: str | None
    transposed: bool = False


def expected_shapes(
    config: "LEDConfig",
    head: str | None,
    checkpoint: "Checkpoint | MappedCheckpoint",
    where: StrPath,
) -> dict[str, tuple[int, ...]]:
    """Lists the weights that a config asks for, if a checkpoint can hold them.

    Args:
        config: `LEDConfig`.
        head: str or `None`; see `table.weight_shapes`.
        checkpoint: `Checkpoint`.
        where: str or path, how messages call the checkpoint.

    Returns:
        Dict of the name of each weight to its Keras shape.

    Raises:
        ValueError: If there are more layers than tensors, whose names alone
            would fill the memory.
    """
    layers = config.encoder_layers + config.decoder_layers
    if layers > len(checkpoint.infos):
        raise ValueError(
            f"The config of {where} must belong to its weights. Received: "
            f"encoder_layers={config.encoder_layers}, "
            f"decoder_layers={config.decoder_layers}, with "
            f"{len(checkpoint.infos)} tensors."
        )
    return weight_shapes(config, head)


def read_source(
    checkpoint: "Checkpoint | MappedCheckpoint", source: Source
) -> "np.ndarray":
    """Reads the values of one weight in the layout of Keras.

    Args:
        checkpoint: `Checkpoint`.
        source: `Source` of a tensor.

    Returns:
        A numpy array of the dtype of the file.
    """
    array = checkpoint.read(source.tensor)  # pyright: ignore[reportArgumentType]
    return array.T if source.transposed else array


def find_sources(
    shapes: dict[str, tuple[int, ...]],
    checkpoint: "Checkpoint | MappedCheckpoint",
    where: StrPath = "the checkpoint",
    *,
    ignore_mismatched_sizes: bool = False,
    allow_fresh_head: bool = True,
) -> dict[str, Source]:
    """Finds the tensor of each weight; checks all names and shapes.

    Args:
        shapes: dict of the name of each weight to its Keras shape.
        checkpoint: `Checkpoint`.
        where: str or path, how messages call the checkpoint.
        ignore_mismatched_sizes: see `load_pretrained_weights`.
        allow_fresh_head: bool, whether a head that is missing as a whole is a
            warning, not an error.

    Returns:
        Dict of the name of each weight that has values to its `Source`.

    Raises:
        ValueError: If tensors are missing, unexpected, of a wrong shape or
            type. All of them are listed.
    """
    found, unknown = _tensors_by_name(checkpoint, where)
    sources = {name: found.pop(name) for name in shapes if name in found}
    tables = _share_tables(shapes, sources, found, where)
    if names.FINAL_LOGITS_BIAS in shapes:
        # Files older than transformers 4.6 lack it, and it is a buffer of 0.
        sources.setdefault(names.FINAL_LOGITS_BIAS, Source(None))
    missing = [name for name in shapes if name not in sources]
    if allow_fresh_head:
        missing = _allow_fresh_head(missing, shapes, where)
    unknown += [
        source.tensor
        for name, source in found.items()
        if not names.is_head(name)
    ]
    misshapen = _misshapen(shapes, sources, checkpoint)
    if ignore_mismatched_sizes and misshapen:
        warnings.warn(
            f"{where}: these tensors have another shape than in the model, "
            "whose own values stay as they were initialized: "
            + shorten([text for _, text in misshapen]),
            stacklevel=4,
        )
        for name, _ in misshapen:
            del sources[name]
        misshapen = []
    _raise_faults(
        where,
        missing=[names.to_torch(name) for name in missing],
        unexpected=sorted(unknown),
        misshapen=[text for _, text in misshapen],
        types=_wrong_types(sources, checkpoint),
        outer=names.outer_names(checkpoint.infos),
    )
    _refuse_different_tables(tables, checkpoint, where)
    return sources


def _tensors_by_name(checkpoint, where):
    """Returns the sources by the name of their weight, and unknown names."""
    found, unknown, double = {}, [], []
    convert = names.converter(checkpoint.dialect)
    for tensor in checkpoint.infos:
        name = convert(tensor)
        if name is None:
            unknown.append(tensor)
        elif name in found:
            double += [found[name].tensor, tensor]
        else:
            swapped = checkpoint.dialect == "torch"
            found[name] = Source(tensor, swapped and names.is_transposed(name))
    if double:
        raise ValueError(
            f"{where} must hold each weight once. Received the same weight "
            f"under several names: {shorten(double)}."
        )
    return found, unknown


def _share_tables(shapes, sources, found, where):
    """Settles the four names of the embedding table.

    Returns the tensors of the file that stand for one and the same table.
    """
    held = {n: s for n, s in found.items() if n in names.TIED_TABLES}
    if names.SHARED_TABLE in sources:
        held[names.SHARED_TABLE] = sources[names.SHARED_TABLE]
    tied = "encoder/embed_tokens/embeddings" not in shapes
    if tied:
        for name in names.TIED_TABLES:
            if name in held:
                _set_table(sources, held[name], name, names.SHARED_TABLE)
                break
        for name in held:
            found.pop(name, None)
        return [source.tensor for source in held.values()]
    shared = sources.get(names.SHARED_TABLE)
    for name in names.TIED_TABLES:
        if shared is not None and name in shapes and name not in sources:
            warnings.warn(
                f"{where} has no {names.to_torch(name)}, and the config says "
                "tie_word_embeddings=False. The values of "
                f"{shared.tensor} are taken for it.",
                stacklevel=5,
            )
            _set_table(sources, shared, names.SHARED_TABLE, name)
    return []


def _set_table(sources, source, old_name, new_name):
    """Takes one embedding table for another; `lm_head` is a transpose."""
    swap = names.is_transposed(old_name) != names.is_transposed(new_name)
    sources[new_name] = Source(source.tensor, source.transposed != swap)


def _refuse_different_tables(tensors, checkpoint, where):
    """A tied model has room for one table only."""
    if len(tensors) < 2:
        return
    # Sums, so that one table at a time is in memory. PyTorch stores the
    # table of the output projection in the same layout as the others.
    sums = {zlib.crc32(checkpoint.read(t).data.cast("B")) for t in tensors}
    if len(sums) > 1:
        raise ValueError(
            f"{where} holds different embedding tables, {shorten(tensors)}, "
            "but the config says tie_word_embeddings=True. Load it with "
            "tie_word_embeddings=False to keep them all."
        )


def _allow_fresh_head(missing, shapes, where):
    """Lets a head be new as a whole; returns what is missing beside it."""
    head = [
        name
        for name in shapes
        if names.is_head(name) and name != names.FINAL_LOGITS_BIAS
    ]
    if not head or not set(head) <= set(missing):
        return missing
    warnings.warn(
        f"{where} has no {shorten([names.to_torch(n) for n in head])}. They "
        "stay as they were initialized: train the model before using it.",
        stacklevel=5,
    )
    return [name for name in missing if name not in head]


def _misshapen(shapes, sources, checkpoint):
    """Lists (weight, message) for each shape that does not fit."""
    faults = []
    for name, source in sources.items():
        if source.tensor is None:
            continue
        shape = checkpoint.infos[source.tensor].shape
        wanted = shapes[name][::-1] if source.transposed else shapes[name]
        if shape != wanted:
            text = f"{source.tensor}: expected {wanted}, found {shape}"
            faults.append((name, text))
    return faults


def _wrong_types(sources, checkpoint):
    infos = [checkpoint.infos.get(s.tensor) for s in sources.values()]
    return [
        f"{source.tensor}: {info.dtype}"
        for source, info in zip(sources.values(), infos, strict=True)
        if info is not None and info.dtype not in FLOAT_DTYPES
    ]


def _raise_faults(where, missing, unexpected, misshapen, types, outer):
    """Raises one error that says everything that is wrong, in a few lines."""
    faults = {
        "Missing": missing,
        "Unexpected": unexpected,
        "Wrong shape": misshapen,
        "Not a floating-point type": types,
    }
    lines = [
        f"{title} ({len(items)}): {shorten(items)}."
        for title, items in faults.items()
        if items
    ]
    if not lines:
        return
    remedy = "Check that the config belongs to these weights."
    if unexpected and outer:
        remedy = (
            f"Some names begin with {shorten(outer)}: keep the tensors of one "
            "LED, without what stands before them."
        )
    raise ValueError(
        f"The tensors of {where} must be those of the model. "
        + " ".join([*lines, remedy])
    )

"""Position tables of another length."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_led.checkpoints import names
from keras_led.checkpoints.mapped import Entry
from keras_led.checkpoints.mapped import MappedCheckpoint

if TYPE_CHECKING:
    from keras_led.checkpoints.checkpoint import Checkpoint


def resize_positions(
    checkpoint: "Checkpoint | MappedCheckpoint",
    lengths: Mapping[str, int | None],
) -> "Checkpoint | MappedCheckpoint":
    """Gives position tables a new length, by repetition or by cutting.

    A longer table starts again with its first row, as the authors of
    Longformer did with the 512 rows of RoBERTa: close neighbours keep the
    distances that the model has learned.

    Args:
        checkpoint: `Checkpoint` or `MappedCheckpoint`.
        lengths: dict of `"encoder"` and `"decoder"` to the new length, in
            tokens. A side that is missing, or `None`, stays as it is.

    Returns:
        A checkpoint with the same names.

    Source:
        Beltagy et al., 2020, section 5, https://arxiv.org/abs/2004.05150
    """
    convert = names.converter(checkpoint.dialect)
    wanted = {
        f"{side}/embed_positions/embeddings": length
        for side, length in lengths.items()
        if length is not None
    }
    entries = {}
    for tensor, info in checkpoint.infos.items():
        length = wanted.get(convert(tensor))  # pyright: ignore[reportArgumentType]
        if length is not None:
            shape = (length, *info.shape[1:])
            entries[tensor] = Entry(tensor, shape, _repeater(length))
    return MappedCheckpoint(checkpoint, entries)


def _repeater(length):
    def repeat(table):
        return np.take(table, np.arange(length) % len(table), axis=0)

    return repeat

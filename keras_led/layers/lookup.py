"""Rows of an embedding table, with a gradient that every optimizer adds up."""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import keras


def look_up(
    embedding: "keras.layers.Embedding", ids: Tensor, table: Any = None
) -> tuple[Tensor, Tensor]:
    """Reads the rows `ids` of a table.

    TensorFlow's own gradient would be a list of rows. Replicas join their
    lists, where one row may stand twice, and the Adam of Keras 3.15 would
    square its parts instead of their sum.

    Args:
        embedding: `keras.layers.Embedding`.
        ids: Int tensor of any shape.
        table: What a former call with this `embedding` returned second. Where
            each of several readers reads what the one before handed on, they
            share one gradient of the table's size.

    Returns:
        Pair of a float tensor of the shape of `ids` and one more axis, the
        columns; and the table as a float tensor for what reads it next, `None`
        where it is quantized.
    """
    if embedding.quantization_mode is not None:  # its rows do not train
        return embedding(ids), None
    if table is None:
        table = ops.convert_to_tensor(embedding.embeddings)
    rows, table = backend.look_up(table, backend.cast(ids, "int32"))
    return backend.cast(rows, embedding.compute_dtype), table

"""Rows of an embedding table, with a gradient that every optimizer adds up."""

from keras import ops

from keras_led import backend


def look_up(embedding, ids, table=None):
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
    rows, table = backend.look_up(table, ops.cast(ids, "int32"))
    return ops.cast(rows, embedding.compute_dtype), table

"""Rows of an embedding table, with a gradient that every optimizer adds up."""

from keras import ops

from keras_led import backend


def look_up(embedding, ids):
    """Reads the rows `ids` of a table.

    TensorFlow's own gradient would be a list of rows. Replicas join their
    lists, where one row may stand twice, and the Adam of Keras 3.15 would
    square its parts instead of their sum.

    Args:
        embedding: `keras.layers.Embedding`.
        ids: Int tensor of any shape.

    Returns:
        Float tensor of the shape of `ids` and one more axis, the columns.
    """
    if embedding.quantization_mode is not None:  # its rows do not train
        return embedding(ids)
    table = backend.dense_gradient(ops.convert_to_tensor(embedding.embeddings))
    return ops.cast(ops.take(table, ids, axis=0), embedding.compute_dtype)

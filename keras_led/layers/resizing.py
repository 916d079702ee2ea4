"""Changing the number of rows of a built embedding table."""

from typing import TYPE_CHECKING

import numpy as np
from keras import ops

if TYPE_CHECKING:
    import keras


def resized_table(
    table: np.ndarray, rows: int, mean_resizing: bool, init_std: float
) -> np.ndarray:
    """Cuts a table of embeddings, or adds rows at its end.

    Args:
        table: Array of shape `(V, D)`.
        rows: int, rows afterwards.
        mean_resizing: bool, whether new rows start close to the mean of the
            old ones, so that they do not stand out among the logits.
        init_std: float, standard deviation of new rows otherwise.

    Returns:
        Array of shape `(rows, D)` and the dtype of `table`.

    Source:
        Hewitt, 2021, "Initializing new word embeddings for pretrained
        language models", as in transformers 5.23.
    """
    added = rows - table.shape[0]
    if added <= 0:
        return table[:rows]
    generator = np.random.default_rng()
    noise = generator.normal(size=(added, table.shape[1]))
    if mean_resizing:
        values = table.astype("float32")
        # A tiny share of the old spread tells the new tokens apart.
        new = values.mean(axis=0) + noise * values.std(axis=0) * 1e-9**0.5
    else:
        new = noise * init_std
    return np.concatenate([table, new.astype(table.dtype)])


def resize_embedding(
    layer: "keras.layers.Embedding",
    rows: int,
    mean_resizing: bool,
    init_std: float,
) -> None:
    """Replaces the table of a built `keras.layers.Embedding`.

    Args:
        layer: The layer, which keeps its identity and the path of its table.
        rows: int, rows afterwards.
        mean_resizing: bool, as in `resized_table`.
        init_std: float, as in `resized_table`.
    """
    old = ops.convert_to_numpy(layer.embeddings)
    table = resized_table(old, rows, mean_resizing, init_std)
    layer._embeddings = replace_variable(layer, layer._embeddings, table)
    layer.input_dim = rows


def replace_variable(
    layer: "keras.layers.Layer", variable: "keras.Variable", value: np.ndarray
) -> "keras.Variable":
    """Exchanges a variable of a built layer for one of another shape.

    Args:
        layer: The Keras layer that made `variable`.
        variable: The `keras.Variable` to drop.
        value: Array, the value of the new one.

    Returns:
        The new variable, with the name, dtype and trainability of the old.
    """
    # A built layer refuses new variables; Keras' own `enable_lora` opens it
    # in the same way.
    layer._tracker.unlock()
    layer._untrack_variable(variable)
    with layer._open_name_scope():
        new = layer.add_weight(
            name=variable.name,
            shape=value.shape,
            dtype=variable.dtype,
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                value, dtype=dtype
            ),
            trainable=variable.trainable,
        )
    layer._tracker.lock()
    return new

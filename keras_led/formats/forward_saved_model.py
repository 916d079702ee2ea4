"""SavedModels of plain TensorFlow operations."""

from typing import Any

import tensorflow as tf

from keras_led.typing import StrPath


def write_saved_model(
    module: tf.Module, directory: StrPath, signatures: dict[str, Any]
) -> None:
    """Writes a SavedModel for inference: no gradients.

    Args:
        module: `tf.Module` that holds what the signatures read.
        directory: str or path.
        signatures: dict of name to concrete function.
    """
    tf.saved_model.save(
        module,
        str(directory),
        signatures=signatures,
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )

"""Training as `transformers` 4 did it on TensorFlow."""

from typing import Any

import keras
import tensorflow as tf

from keras_led.tf.inputs import call_names
from keras_led.tf.inputs import name_features

# What `compile` was given there for "the loss of the model itself".
OWN_LOSS = ("auto", "passthrough", "auto_with_warning")


class TFFittingMixin:
    """Takes labels among the inputs, in `y`, or in a dict in `y`."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Configures training; see `keras.Model.compile`.

        Args:
            optimizer: as in Keras.
            loss: as in Keras; `None` (or "auto", "passthrough") for the loss
                that the model computes from the labels.
            *args: as in Keras.
            **kwargs: as in Keras.
        """
        if isinstance(loss, str) and loss in OWN_LOSS:
            loss = None
        super().compile(optimizer, loss, *args, **kwargs)

    def fit(
        self, x: Any = None, y: Any = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains; see `keras.Model.fit`, whose other arguments go by name.

        Args:
            x: as in Keras, and in every form of the call's first argument. A
                `tf.data.Dataset` keeps its order without a word from Keras.
            y: labels, or `{"labels": ...}`, or `None` where `x` has them.
            **kwargs: as in Keras.

        Returns:
            `keras.callbacks.History`.
        """
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)
        return super().fit(x, y, **kwargs)

    def _with_labels(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x = name_features(x, call_names(self))
        if isinstance(y, dict):
            if set(y) != {"labels"}:
                raise ValueError(
                    "A dict in `y` must have the one key 'labels'. "
                    f"Received: {', '.join(y)}."
                )
            y = y["labels"]
        if y is None:
            y = x.get("labels")  # for metrics
        data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        return super()._with_labels(data)

    def _without_targets(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return super()._without_targets(name_features(x, call_names(self)))

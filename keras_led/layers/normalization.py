"""Layer normalization by the kernel that the backend has for it."""

import keras

from keras_led import backend
from keras_led.layers.nested_calls import InnerLayer
from keras_led.typing import Tensor


class LayerNormalization(InnerLayer, keras.layers.LayerNormalization):
    """`keras.layers.LayerNormalization` over the last axis, in one kernel.

    Keras writes it as a mean, a variance and products, each of which reads and
    writes the whole document.
    """

    def call(self, inputs: Tensor) -> Tensor:
        return backend.layer_norm(inputs, self.gamma, self.beta, self.epsilon)

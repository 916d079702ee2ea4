"""Which layers `quantize` takes."""

import keras


def quantizable(layer: keras.layers.Layer) -> bool:
    """Whether a layer has a way of its own to be quantized."""
    return type(layer).quantize is not keras.layers.Layer.quantize

"""Layers within a layer, called without what Keras does for the outer one.

Keras converts the arguments of each call, casts them, names it and looks for
masks, which on PyTorch takes 150 microseconds, longer than many a layer: a
fifth of a step of `fit` that a GPU waits for.
"""

import contextvars
from typing import Any

import keras

from keras_led import backend

_outer_dtype = contextvars.ContextVar("keras_led_outer_dtype", default=None)


class OuterLayer(keras.layers.Layer):
    """A layer whose call is one of Keras'."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = _outer_dtype.set(self.compute_dtype)
        try:
            return super().__call__(*args, **kwargs)
        finally:
            _outer_dtype.reset(token)


class InnerLayer(keras.layers.Layer):
    """A layer that is called at once within an `OuterLayer`.

    Not where its weights are cast to another dtype than those of the outer
    layer, or where Keras does more than to call it.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        within = _outer_dtype.get() == self.compute_dtype
        if backend.LAYER_CALLS_ARE_SLOW and within and self._is_plain():
            return self.call(*args, **kwargs)
        return super().__call__(*args, **kwargs)

    def _is_plain(self):
        return (
            self.built
            and self.quantization_mode is None
            and self.activity_regularizer is None
            # A private name: of a layer made within `keras.RematScope`.
            and not getattr(self, "_remat_mode", None)
        )

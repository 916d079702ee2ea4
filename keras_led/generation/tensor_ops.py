"""The operations that search and processors are made of: Keras', or numpy's.

Inside `on_numpy()` the same search and the same processors run over numpy
arrays, and neither Keras nor a backend is loaded: so one beam search serves
the models and the files that were exported from them.
"""

import contextlib
import contextvars
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_led.generation import numpy_ops

_numpy = contextvars.ContextVar("numpy", default=False)


@contextlib.contextmanager
def on_numpy() -> Iterator[None]:
    """Lets `ops` and `backend` be numpy's, in this thread."""
    token = _numpy.set(True)
    try:
        # Infinite scores are no mistake, as on the backends.
        with np.errstate(all="ignore"):
            yield
    finally:
        _numpy.reset(token)


class _Chosen:
    """The functions of a module of Keras, or of `numpy_ops`."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        if _numpy.get():
            return getattr(numpy_ops, name)
        return getattr(importlib.import_module(self._module), name)


ops: Any = _Chosen("keras.ops")
backend: Any = _Chosen("keras_led.backend")

"""The values of ids and labels, read where that costs nothing."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_led import backend

_known = contextvars.ContextVar("keras_led_values_known", default=False)


@contextlib.contextmanager
def values_known(data: Any) -> Iterator[None]:
    """Says that `data` was checked, so far as its values lay on the host.

    Where all of them did, none is read again, from where a step puts them.

    Args:
        data: Arrays in a nested structure.
    """
    arrays = [x for x in keras.tree.flatten(data) if x is not None]
    token = _known.set(all(on_host(x) is not None for x in arrays))
    try:
        yield
    finally:
        _known.reset(token)


def on_host(x: Any) -> np.ndarray | None:
    """`x` as a numpy array, where its values lie in the host's memory.

    Args:
        x: Array or tensor of any library, or anything else.

    Returns:
        numpy array, or `None`: on an accelerator, in a trace, not an array.
    """
    if isinstance(x, np.ndarray):
        return x
    if not hasattr(x, "shape") or not backend.is_concrete(x):
        return None
    # A word in the name of the device for TensorFlow, JAX and PyTorch alike.
    if "cpu" not in str(getattr(x, "device", None)).lower():
        return None
    return np.asarray(x)


def dtype_of(x: Any) -> str:
    """Name of the dtype of an array or tensor of any library."""
    if isinstance(x, np.ndarray):
        return str(x.dtype)  # Keras knows no text.
    return keras.backend.standardize_dtype(x.dtype)


def value_range(x: Any) -> tuple[int, int] | None:
    """Lowest and highest value, as ints; `None` if unread or without any.

    In a trace none can be read, within `values_known` none has to be.

    A numpy array is read as it is, before 64 bits become 32. A tensor on an
    accelerator is waited for.
    """
    if 0 in x.shape or _known.get() or not backend.is_concrete(x):
        return None
    if isinstance(x, np.ndarray):
        return int(x.min()), int(x.max())
    return int(ops.min(x)), int(ops.max(x))

"""Texts in all forms that KerasHub hands to a layer, as Python strings.

Outside of a TensorFlow graph they become lists of str at once. Inside one, as
in `tf.data.Dataset.map`, Python is called for each batch, so that every text
is read by the one tokenizer.
"""

import sys
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np


def in_graph() -> bool:
    """Whether TensorFlow traces a graph, as in `tf.data.Dataset.map`."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and not tensorflow.executing_eagerly()


def is_text(value: Any) -> bool:
    """Whether `value` is a text, or a list, array or tensor of texts."""
    if isinstance(value, (str, bytes)):
        return True
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and is_text(value[0])
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return False
    kind = getattr(dtype, "kind", None)
    return kind in ("U", "S") or (
        str(dtype) in ("object", "<dtype: 'string'>", "string")
    )


def read_texts(name: str, value: Any) -> tuple[list[str], bool]:
    """Brings texts to a list.

    Args:
        name: str, name of the argument, for messages.
        value: str, bytes, or a list, tuple, numpy array or TensorFlow tensor
            of them.

    Returns:
        Pair of a list of str, and a bool, whether it was a single text.

    Raises:
        TypeError: If it holds something else.
    """
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    single = isinstance(value, (str, bytes))
    values = [value] if single else value
    if not isinstance(values, (list, tuple)):
        raise TypeError(
            f"`{name}` must be a str, or a list, array or tensor of them. "
            f"Received: a {type(values).__name__}."
        )
    texts = []
    for index, text in enumerate(values):
        if isinstance(text, bytes):
            text = text.decode("utf-8", errors="replace")
        if not isinstance(text, str):
            raise TypeError(
                f"`{name}` must hold texts. Received: a "
                f"{type(text).__name__} at index {index}."
            )
        texts.append(text)
    return texts, single


def call_python(
    function: Callable[..., Sequence[np.ndarray]],
    texts: Sequence[Any],
    shapes: Sequence[Sequence[int | None]],
) -> list[Any]:
    """Has a TensorFlow graph call Python.

    Args:
        function: callable from arrays of bytes to int32 arrays.
        texts: list of string tensors.
        shapes: list of the shapes of its results; `None` where unknown.

    Returns:
        List of int32 tensors of these shapes.
    """
    import tensorflow as tf

    tensors = tf.numpy_function(
        function, list(texts), [tf.int32] * len(shapes), stateful=False
    )
    for tensor, shape in zip(tensors, shapes, strict=True):
        tensor.set_shape(shape)
    return list(tensors)

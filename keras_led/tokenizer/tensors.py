"""Between Python lists and the arrays of numpy, TensorFlow, PyTorch, JAX."""

from typing import Any

import numpy as np

from keras_led.typing import Tensor

_LIBRARIES = {
    "np": "numpy",
    "tf": "tensorflow",
    "pt": "torch",
    "jax": "jax",
}
# Names a type's module can start with, and the kind of array it then is.
_KINDS = {
    "numpy": "np",
    "tensorflow": "tf",
    "torch": "pt",
    "jax": "jax",
    "jaxlib": "jax",
}


def check_kind(return_tensors: str | None) -> None:
    """Checks a `return_tensors` argument.

    Args:
        return_tensors: str, "np", "tf", "pt" or "jax", or `None` for lists.

    Raises:
        ValueError: If it is anything else.
    """
    if return_tensors is not None and return_tensors not in _LIBRARIES:
        raise ValueError(
            f"`return_tensors` must be one of {', '.join(_LIBRARIES)}, or "
            f"None. Received: return_tensors={return_tensors!r}."
        )


def kind_of(value: Any) -> str | None:
    """Tells which library an array belongs to.

    Args:
        value: any object.

    Returns:
        "np", "tf", "pt", "jax", or `None` for what is no array.
    """
    if not hasattr(value, "shape"):
        return None
    return _KINDS.get(type(value).__module__.split(".")[0])


def to_lists(value: Any) -> Any:
    """Turns arrays, also inside lists and tuples, into plain lists.

    Args:
        value: number, array, or nest of lists, tuples and ranges.

    Returns:
        The same content as int, float or nested lists. Other objects, such as
        strings, stay as they are.
    """
    if isinstance(value, list | tuple | range):
        if all(type(item) is int for item in value):
            return list(value)
        return [to_lists(item) for item in value]
    if kind_of(value) is None:
        return value
    if kind_of(value) == "tf":
        value = value.numpy()  # an eager tensor; it has no `tolist`
    return value.tolist()


def to_tensor(name: str, value: Any, return_tensors: str) -> Tensor:
    """Makes an array of a nest of numbers.

    Args:
        name: str, what the value is, for the error message.
        value: nested lists of numbers, or an array, which is returned as is.
        return_tensors: str, "np", "tf", "pt" or "jax".

    Returns:
        An array of the library. Integers are int64 under numpy and PyTorch,
        and int32 under TensorFlow and JAX.

    Raises:
        ValueError: If the rows of `value` differ in length, or hold something
            other than numbers.
        ImportError: If the library is not installed.
    """
    check_kind(return_tensors)
    if kind_of(value) == return_tensors:
        return value
    array = _to_numpy(name, to_lists(value))
    if return_tensors == "np":
        return array
    try:
        if return_tensors == "tf":
            import tensorflow as tf

            return tf.convert_to_tensor(_narrow(array))
        if return_tensors == "pt":
            import torch

            return torch.from_numpy(_narrow(array, keep_int64=True))
        import jax.numpy as jnp

        return jnp.asarray(_narrow(array))
    except ImportError as error:
        library = _LIBRARIES[return_tensors]
        raise ImportError(
            f"`return_tensors={return_tensors!r}` needs {library}. Install it "
            f'with `pip install {library}`, or pass `return_tensors="np"`.'
        ) from error


def _to_numpy(name, value):
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(_ragged_message(name, value)) from error
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"`{name}` must hold numbers only to become a tensor. Received: "
            f"an entry of type {type(array.ravel()[0]).__name__}. Remove "
            f"`{name}`, or leave out `return_tensors`."
        )
    # An empty batch has no number to take the type from.
    return array.astype("int64") if array.size == 0 else array


def _ragged_message(name, value):
    lengths = sorted(
        {len(row) for row in value if isinstance(row, list)}
        if isinstance(value, list)
        else set()
    )
    if name == "labels":
        advice = (
            "Encode them with `padding=True`, or pad them yourself with -100, "
            "which the loss skips."
        )
    else:
        advice = (
            "Pass `padding=True` to fill up the shorter rows, and "
            "`truncation=True` with `max_length=` to cut the longer ones."
        )
    return (
        f"`{name}` must have rows of one length to become a tensor. "
        f"Received: lengths={lengths}. {advice}"
    )


def _narrow(array, keep_int64=False):
    """Gives numbers the width that the libraries give Python's numbers."""
    if array.dtype.kind == "f":
        return array.astype("float32")
    if array.dtype.kind in "iu" and not keep_int64:
        return array.astype("int32")
    return array

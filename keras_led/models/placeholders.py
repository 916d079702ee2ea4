"""What stands for ids and labels while Keras builds a model.

`keras.saving.load_model` builds a model of one's own by calling it on
placeholders of the shapes that it was saved with. Keras keeps no dtypes: they
are all float32.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_led import backend


def with_integers(model: keras.Model, inputs: dict[str, Any]) -> dict[str, Any]:
    """Makes integers of the placeholders that stand for such.

    Args:
        model: Model whose `integer_inputs` are names of call arguments.
        inputs: dict of call arguments.

    Returns:
        A dict likewise. Data is returned as it is, to be checked.
    """
    if not backend.in_symbolic_scope():
        return inputs
    return {
        name: ops.cast(value, "int32")
        if name in model.integer_inputs and _is_float(value)
        else value
        for name, value in inputs.items()
    }


def output_spec(
    compute: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Finds the shapes of outputs where sizes of inputs are unknown.

    Args:
        compute: Callable, `compute_output_spec` of Keras.
        args: tuple of its positional arguments.
        kwargs: dict of the others.

    Returns:
        What `compute` does, with `None` for unknown sizes.
    """
    sizes = [
        size
        for x in keras.tree.flatten((args, kwargs))
        if isinstance(x, keras.KerasTensor)
        for size in x.shape
    ]
    if None not in sizes or not backend.NEEDS_SIZES:
        return compute(*args, **kwargs)
    specs = []
    for stand_in in backend.STAND_INS:
        known = keras.tree.map_structure(
            functools.partial(_with_size, stand_in), (args, kwargs)
        )
        specs.append(compute(*known[0], **known[1]))
    return keras.tree.map_structure(_common_shape, *specs)


def _with_size(stand_in, x):
    if not isinstance(x, keras.KerasTensor):
        return x
    shape = (stand_in if size is None else size for size in x.shape)
    return keras.KerasTensor(tuple(shape), x.dtype)


def _common_shape(first, second):
    sizes = zip(first.shape, second.shape, strict=True)
    shape = (size if size == other else None for size, other in sizes)
    return keras.KerasTensor(tuple(shape), first.dtype)


def check_keras_inputs(model: keras.Model, inputs: dict[str, Any]) -> None:
    """Raises if a `keras.Input` for integers has a float dtype, the default.

    Args:
        model: see `with_integers`.
        inputs: dict of call arguments.

    Raises:
        TypeError: If one has.
    """
    for name in model.integer_inputs:
        value = inputs.get(name)
        if isinstance(value, keras.KerasTensor) and _is_float(value):
            raise TypeError(
                f"`{name}` must hold integers. Received: a `keras.Input` of "
                f"dtype={value.dtype}. Make it with dtype='int32'."
            )


def _is_float(value):
    if not hasattr(value, "dtype"):
        return False
    return "float" in keras.backend.standardize_dtype(value.dtype)

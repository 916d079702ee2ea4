"""The forms in which a TFLED model takes its inputs."""

import functools
import inspect
import warnings
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_led.models.call_checks import check_names
from keras_led.models.call_checks import merge_first_argument
from keras_led.models.placeholders import with_integers
from keras_led.typing import F

if TYPE_CHECKING:
    import keras

# Call arguments that are `True` or `False`.
_FLAGS = (
    "use_cache",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "training",
)


def name_inputs(
    args: tuple[Any, ...], kwargs: dict[str, Any], names: Sequence[str]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Takes a first argument that holds several inputs apart.

    Args:
        args: Tuple of positional arguments. The first may be a dict of call
            arguments, or a list or tuple of them in their order.
        kwargs: Dict of keyword arguments; `inputs` is taken for `input_ids`,
            with a `FutureWarning`.
        names: List of str, the call arguments in their order.

    Returns:
        Tuple of the remaining `args` and `kwargs`.

    Raises:
        TypeError: If a list holds something that is no tensor, an argument
            is given twice, or a name is unknown.
        ValueError: If a list is longer than the call has arguments.
    """
    if "inputs" in kwargs:
        warnings.warn(
            "`inputs` is the old name of `input_ids`, and goes; use "
            "`input_ids`.",
            FutureWarning,
            stacklevel=4,
        )
        kwargs = {**kwargs}
        args = (kwargs.pop("inputs"), *args)
    if args and isinstance(args[0], (list, tuple)):
        kwargs = _merge(name_list(args[0], names), kwargs)
        args = args[1:]
    elif isinstance(kwargs.get("input_ids"), (list, tuple)):
        kwargs = {**kwargs}
        first = kwargs.pop("input_ids")
        kwargs = _merge(name_list(first, names), kwargs)
    args, kwargs = merge_first_argument(args, kwargs)
    return args, kwargs


def name_list(inputs: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """Gives the inputs of a list their names.

    Args:
        inputs: List or tuple of tensors, or of `None` for an absent one.
        names: List of str, the call arguments in their order.

    Returns:
        Dict of the inputs that are not `None`.

    Raises:
        TypeError: If an item is no tensor.
        ValueError: If there are more items than names.
    """
    if len(inputs) > len(names):
        raise ValueError(
            f"A list of inputs must hold at most {len(names)}, in the order "
            f"{', '.join(names)}. Received: {len(inputs)}."
        )
    named = {}
    for name, value in zip(names, inputs, strict=False):
        allowed = value is None or hasattr(value, "shape")
        allowed = allowed or (name in _FLAGS and isinstance(value, bool))
        if not allowed and name not in ("encoder_outputs", "past_key_values"):
            raise TypeError(
                "A list of inputs must hold tensors or arrays, and True or "
                f"False for flags, in the order {', '.join(names[:3])} and so "
                f"on. Received: a {type(value).__name__} for `{name}`. Make "
                "token ids an array first: np.array(ids)."
            )
        if value is not None:
            named[name] = value
    return named


def name_features(features: Any, names: Sequence[str]) -> dict[str, Any]:
    """Brings the inputs of a training batch to a dict, as `name_inputs`."""
    if isinstance(features, Mapping):
        return dict(features)
    if isinstance(features, (list, tuple)):
        return name_list(features, names)
    return {names[0]: features}


def takes_inputs(call: F) -> F:
    """Lets `call` take its inputs in every form of `name_inputs`."""
    names = list(inspect.signature(call).parameters)[1:]

    @functools.wraps(call)
    def call_with_named(self, *args, **kwargs):
        args, kwargs = name_inputs(args, kwargs, names)
        check_names(kwargs, names, type(self).__name__)
        args, kwargs = with_integers(self, names, args, kwargs)
        return call(self, *args, **kwargs)

    return call_with_named  # pyright: ignore[reportReturnType]


def call_names(model: "keras.Model") -> list[str]:
    """List of str, the arguments of the call of `model`, in their order."""
    return list(inspect.signature(model.call).parameters)


def _merge(named, kwargs):
    twice = [name for name in named if kwargs.get(name) is not None]
    if twice:
        raise TypeError(
            "Each input must be given once. Received both in the list and by "
            f"name: {', '.join(twice)}."
        )
    return {**kwargs, **named}

"""The call arguments of a model: one dict, however they were given."""

import functools
import inspect
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_led.argument_checks import did_you_mean
from keras_led.models.placeholders import with_integers
from keras_led.typing import F

if TYPE_CHECKING:
    from keras_led.outputs import ModelOutput


class NamedInputsMixin:
    """What `takes_inputs` asks of a model; TFLED takes lists as well."""

    def name_inputs(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        names: Sequence[str],
    ) -> dict[str, Any]:
        """See the function of this name."""
        return name_inputs(args, kwargs, names, type(self).__name__)

    def finish(self, output: "ModelOutput", return_dict: bool) -> Any:
        """The output of a call: an object, or a tuple."""
        return output if return_dict else output.to_tuple()


def takes_inputs(call: F) -> F:
    """Makes the `call` of a model from its signature.

    The body of `call` never runs. The arguments that were given go to
    `compute_outputs` by their names, and `finish` brings its output to the
    form that `return_dict` asks for.

    Args:
        call: Method that names the call arguments in their order.

    Returns:
        Method with the same signature, whose first argument may also be a
        dict of call arguments. (`keras.Model.__call__` names them before; the
        training loop under JAX calls `call` itself.)
    """
    names = argument_names(call)

    @functools.wraps(call)
    def call_with_inputs(self, *args, **kwargs):
        inputs = with_integers(self, self.name_inputs(args, kwargs, names))
        return_dict = inputs.pop("return_dict", None)
        if return_dict is None:
            return_dict = self.config.return_dict
        return self.finish(self.compute_outputs(**inputs), return_dict)

    return call_with_inputs  # pyright: ignore[reportReturnType]


@functools.cache
def argument_names(call: Callable[..., Any]) -> tuple[str, ...]:
    """Tuple of str, the arguments of a method `call` without `self`."""
    return tuple(inspect.signature(call).parameters)[1:]


def name_inputs(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    names: Sequence[str],
    where: str,
) -> dict[str, Any]:
    """Brings the arguments of a call to one dict.

    Args:
        args: Tuple of positional arguments. The first may be a dict of call
            arguments, as may `input_ids`.
        kwargs: Dict of keyword arguments; they win over the entries of a
            dict in `args`.
        names: Sequence of str, the call arguments in their order.
        where: str, the callable that a message names.

    Returns:
        Dict of the arguments that were given.

    Raises:
        TypeError: If a name is unknown or given twice, or there are too many
            arguments.
    """
    if len(args) > len(names):
        raise TypeError(
            f"`{where}` takes at most {len(names)} arguments, "
            f"{', '.join(names)}. Received: {len(args)}."
        )
    if args and isinstance(args[0], Mapping):
        kwargs = {**args[0], **kwargs}
        positional = dict(zip(names[1:], args[1:], strict=False))
    else:
        positional = dict(zip(names, args, strict=False))
    first = kwargs.get("input_ids")
    if isinstance(first, Mapping):
        kwargs = {**kwargs, "input_ids": None, **first}
    for name in positional.keys() & kwargs.keys():
        raise TypeError(
            f"`{where}` takes `{name}` once. Received: it by position and by "
            "name."
        )
    check_names(kwargs, names, where)
    return {**positional, **kwargs}


def check_names(
    kwargs: Iterable[str], known: Iterable[str], where: str
) -> None:
    """Raises if a keyword is unknown, with the nearest known one.

    Args:
        kwargs: Iterable of str, the names given.
        known: Iterable of str, the names that `where` takes.
        where: str, the callable that the message names.

    Raises:
        TypeError: If a name is unknown.
    """
    known = list(known)
    for name in kwargs:
        if name not in known:
            hint = did_you_mean(name, known)
            raise TypeError(
                f"`{where}` has no argument `{name}`.{hint} "
                f"Its arguments are {', '.join(known)}."
            )

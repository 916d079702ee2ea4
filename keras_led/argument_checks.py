"""Checks of arguments that every part of the library shares."""

import difflib
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any


def wrong(name: str, rule: str, value: Any) -> str:
    """The message for a value that breaks the rule of its argument."""
    return f"`{name}` must be {rule}. Received: {name}={value!r}."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns ` Did you mean ...?`, or "" where no name is close.

    Args:
        name: str, what was given.
        known: iterable of str.
    """
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def reject_unknown(
    function: str, unknown: Collection[str], known: Iterable[str]
) -> None:
    """Raises when a caller passed keyword arguments that mean nothing.

    Args:
        function: str, name of the function, as the caller wrote it.
        unknown: dict of the keyword arguments left over.
        known: iterable of the names that `function` takes.

    Raises:
        TypeError: If `unknown` is not empty; it names the nearest known one.
    """
    if not unknown:
        return
    name = next(iter(unknown))
    advice = did_you_mean(name, known)
    raise TypeError(f"{function} got an unknown argument {name!r}.{advice}")


def check_list(name: str, values: Any, items: str) -> list[Any]:
    """Reads a list-valued argument.

    A text is an iterable, too, of its characters; nobody who passes one means
    those.

    Args:
        name: str, the argument.
        values: any iterable but a text or a mapping.
        items: str, what the list holds, for the error message.

    Returns:
        list of the values.

    Raises:
        TypeError: If `values` is a text, a mapping, or no iterable.
    """
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(
        values, "__iter__"
    ):
        text = isinstance(values, str)
        advice = f" Write {name}=[{values!r}]." if text else ""
        raise TypeError(
            f"`{name}` must be a list of {items}. Received: {name}={values!r} "
            f"of type {type(values).__name__}.{advice}"
        )
    return list(values)

"""Other ways for an optimizer to do what a method of it does."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

# Whose code is known to do nothing but operations on tensors.
_KNOWN_CODE = ("keras_led.", "keras.")


def is_known(thing: Any, *names: str) -> bool:
    """Whether the class of an object is of Keras or this package.

    Args:
        thing: Any object.
        *names: Methods that must be those of the class.

    Returns:
        bool.
    """
    own = getattr(thing, "__dict__", {}).keys() & set(names)
    return f"{type(thing).__module__}.".startswith(_KNOWN_CODE) and not own


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer itself, or what one that scales the loss holds."""
    return getattr(optimizer, "inner_optimizer", optimizer)


@contextlib.contextmanager
def replaced(
    optimizer: Any, name: str, method: Callable[..., Any]
) -> Iterator[None]:
    """Has one optimizer do `method` in the place of its own, for a block."""
    attributes = vars(optimizer)
    attributes[name] = method
    try:
        yield
    finally:
        del attributes[name]

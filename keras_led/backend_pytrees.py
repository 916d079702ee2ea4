"""Classes that the backend sees into, though they may be there before it.

A tokenizer needs no Keras, and is not to load it. What it returns becomes
known to the backend when that is loaded.
"""

import importlib
import sys

from keras_led.typing import D

_waiting = []


def register_pytree(cls: type[D]) -> type[D]:
    """Lets Keras and the backend see into `cls`, an ordered dict of tensors.

    At once where Keras is loaded, else together with `keras_led.backend`.
    """
    if "keras" in sys.modules:
        from keras_led import backend

        return backend.register_pytree(cls)
    _waiting.append(cls)
    return cls


def register_waiting() -> None:
    """Registers the classes that wait, once Keras is loaded."""
    if _waiting:
        importlib.import_module("keras_led.backend")


def take_waiting() -> list[type]:
    """The classes that wait for the backend, which do so no longer."""
    taken = list(_waiting)
    _waiting.clear()
    return taken

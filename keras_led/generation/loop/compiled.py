"""Compiled functions, kept with their model."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Hashable
from typing import Any

from keras_led import backend
from keras_led.typing import AnyLED

# A function of a large model holds its program for each set of shapes; old
# ones make room for new ones.
CAPACITY = 64

_ATTRIBUTE = "_keras_led_generation_functions"
_lock = threading.Lock()


def compiled(
    model: AnyLED,
    key: Hashable,
    make: Callable[[], Callable[..., Any]],
    **hints: bool,
) -> Callable[..., Any]:
    """Returns the compiled function for `key`, making it when new.

    Args:
        model: the model whose weights the function reads.
        key: hashable, everything static the function depends on.
        make: callable without arguments that returns the plain function.
        **hints: `large_products` and `recordable`; see `backend.jit`.

    Returns:
        The compiled function.
    """
    # A graph keeps the variables it was traced with: new ones (a resized
    # vocabulary, LoRA, quantization) need new functions.
    variables = (
        backend.document_shards(),
        *(id(variable) for variable in model.variables),
    )
    with _lock:
        owner, cache = model.__dict__.get(_ATTRIBUTE, (None, None))
        if owner != variables:
            cache = OrderedDict()
            # Past Keras' own `__setattr__`, which would track the dict.
            object.__setattr__(model, _ATTRIBUTE, (variables, cache))
        if key not in cache:
            cache[key] = backend.jit(make(), model, **hints)
        cache.move_to_end(key)
        if len(cache) > CAPACITY:
            cache.popitem(last=False)
        return cache[key]


def forget(model: AnyLED) -> None:
    """Drops all compiled functions of a model, to free their memory."""
    model.__dict__.pop(_ATTRIBUTE, None)

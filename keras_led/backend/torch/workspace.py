"""What the C library does with the memory that tensors on a CPU free."""

import contextlib
import contextvars
import functools
from collections.abc import Iterator

import torch

from keras_led.typing import Tensor

# Bytes above which glibc asks the system for each tensor and gives it back.
ASKED_FOR = 2**25

# The largest piece that it adapts to; the rest is for its own record of it.
LARGEST_KEPT = ASKED_FOR - 2**16

_workspace = contextvars.ContextVar("keras_led_workspace", default=None)


@functools.cache
def keep_freed_memory() -> None:
    """Lets glibc keep what tensors free for the next ones.

    It gives memory back to the system as soon as twice the largest piece that
    it has ever got back is free, and the system clears it page by page for the
    next tensors. So it gets a large piece back once, which nothing writes to.
    Else it was left to chance: led-base's encoder, 16,384 tokens, took 6.2 s
    in some processes and 7.3 s in others.
    """
    torch.empty(LARGEST_KEPT, dtype=torch.uint8, device="cpu")


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """Lets all that calls `take` inside share memory, until it ends."""
    token = _workspace.set({})  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        _workspace.reset(token)


def is_shared() -> bool:
    """Whether this runs within `shared`."""
    return _workspace.get() is not None


def take(name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """A tensor to write into, within `shared`.

    Args:
        name: str. Who asks for it again gets the same memory, where the shape
            is the same: the tensor before must not be read any more.
        shape: Tuple of ints.
        like: Tensor of the dtype and device wanted.

    Returns:
        Uninitialized tensor.
    """
    tensors, shape = _workspace.get(), torch.Size(shape)
    found = tensors.get(name)
    fits = found is not None and found.shape == shape
    if not fits or found.dtype != like.dtype:
        tensors.pop(name, None)  # freed before there is another
        found = tensors[name] = like.new_empty(shape)
    return found

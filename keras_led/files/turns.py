"""Work on one folder that two processes must not do at the same time."""

import contextlib
import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_led.files.locks import acquire
from keras_led.files.staging import best_parent
from keras_led.typing import StrPath


@contextlib.contextmanager
def one_at_a_time(
    directory: StrPath, busy: Callable[..., Any]
) -> Iterator[None]:
    """Keeps other processes from the same work, until this one has ended.

    A hidden file stands for the lock, which ends with the process however
    that ends. Where the file system has no locks, none is held.

    Args:
        directory: str or path of the folder that the work is about, which
            need not exist. Directories above it are made when missing.
        busy: callable without arguments, called where another process is at
            work. It raises, or returns to wait for the other.
    """
    target = Path(os.path.realpath(directory))
    parent = best_parent(target)
    parent.mkdir(parents=True, exist_ok=True)
    path = parent / f".{target.name}.lock"
    try:
        descriptor = acquire(path, os.O_RDWR | os.O_CREAT, wait=False)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        yield
        return
    with contextlib.ExitStack() as stack:
        if descriptor is None:
            busy()
            descriptor = acquire(path, os.O_RDWR | os.O_CREAT)
        stack.callback(os.close, descriptor)  # pyright: ignore[reportArgumentType]
        # Before the lock is released: who gets it then sees that its file is
        # gone, and makes a new one.
        stack.callback(path.unlink, missing_ok=True)
        yield

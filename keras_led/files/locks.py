"""Locks between processes, which end with the process that holds them."""

import contextlib
import errno
import os
from collections.abc import Iterator

from keras_led.typing import StrPath

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def acquire(
    path: StrPath, flags: int = os.O_RDONLY, wait: bool = True
) -> int | None:
    """Locks a file or a directory.

    Args:
        path: str or path.
        flags: int, how to open it.
        wait: bool, whether to wait for another holder.

    Returns:
        int, a descriptor: the lock is held until it is closed or the process
        ends, however it ends. `None` where another holds the lock and `wait`
        is `False`.

    Raises:
        FileNotFoundError: If there is no such path, or no longer.
        OSError: If the file system has no locks.
    """
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            _flock(descriptor, wait)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        # Deleted or replaced while this process waited.
        os.close(descriptor)


@contextlib.contextmanager
def lock_directory(path: StrPath) -> Iterator[None]:
    """Holds the lock of a directory, where its file system has locks.

    Args:
        path: str or path of an existing directory.
    """
    try:
        descriptor = acquire(path)
    except FileNotFoundError:
        raise
    except OSError:
        descriptor = None
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _flock(descriptor, wait):
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this system has no flock")
    fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _is_at(descriptor, path):
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False

"""Locks between processes, which end with the process that holds them."""

import contextlib
import errno
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def acquire(path, flags=os.O_RDONLY, wait=True):
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
def lock_directory(path):
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


@contextlib.contextmanager
def lock_file(path, busy):
    """Holds a lock that a file stands for; the file goes with the lock.

    Where the file system has no locks, nothing is held.

    Args:
        path: str or path of the file. Missing parent directories are made.
        busy: callable without arguments, called where another process holds
            the lock. It raises, or returns to wait for the other.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT
    try:
        descriptor = acquire(path, flags, wait=False)
        if descriptor is None:
            busy()
            descriptor = acquire(path, flags)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        descriptor = None
    try:
        yield
    finally:
        # Before the lock is released: who gets it then sees that its file is
        # gone, and makes a new one.
        path.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


_UNSUPPORTED = (
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EINVAL,
)


def _flock(descriptor, wait):
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this system has no flock")
    fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _is_at(descriptor, path):
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False

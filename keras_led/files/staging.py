"""Hidden directories in which files wait until they are whole."""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from keras_led.files.locks import acquire

_NAME = re.compile(r"\.(.+)\.[0-9a-f]{12}\.tmp")


@contextlib.contextmanager
def locked_staging(parent: Path, name: str) -> Iterator[Path]:
    """Lends a directory for files on their way to `parent / name`.

    It is locked for as long as this process works in it, so that the next
    one for the same name can tell it from that of a killed process, which it
    removes.

    Args:
        parent: `pathlib.Path` of an existing directory.
        name: str.

    Yields:
        `pathlib.Path` of the directory, which is removed at the end.
    """
    remove_dead_staging(parent, name)
    with contextlib.ExitStack() as stack:
        path, descriptor = _make_locked(parent, name)
        if descriptor is not None:
            stack.callback(os.close, descriptor)
        stack.callback(shutil.rmtree, path, ignore_errors=True)
        yield path


def staging_name(name: str) -> str:
    """Returns an unused name of a staging directory, a str."""
    return f".{name}.{secrets.token_hex(6)}.tmp"


def is_staging_name(name: str) -> bool:
    """Whether a str is the name of a staging directory."""
    return _NAME.fullmatch(name) is not None


def remove_dead_staging(parent: Path, name: str | None = None) -> None:
    """Removes the staging directories of killed processes.

    Those of live processes stay; so do all of them where the file system has
    no locks to tell.

    Args:
        parent: `pathlib.Path` of an existing directory.
        name: str, of the directory whose files they hold; `None` for any.
    """
    for entry in os.listdir(parent):
        match = _NAME.fullmatch(entry)
        if match is None or name not in (None, match[1]):
            continue
        try:
            descriptor = acquire(parent / entry, wait=False)
        except OSError:
            continue  # gone, not ours, or no locks
        if descriptor is not None:
            _remove(parent / entry)
            os.close(descriptor)


def best_parent(target: Path) -> Path:
    """Finds the directory for the staging directories of a directory.

    Beside it, where nobody who looks into it sees them; inside where a rename
    from beside is impossible, because it is a mount point or the directory
    above cannot be written to.

    Args:
        target: `pathlib.Path` without symbolic links.

    Returns:
        `pathlib.Path`.
    """
    if not target.is_dir():
        return target.parent
    beside = os.access(target.parent, os.W_OK | os.X_OK)
    return target.parent if beside and not _is_mount(target) else target


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:  # of a version that staged files without a staging directory
        path.unlink(missing_ok=True)


def _make_locked(parent, name):
    while True:
        path = Path(parent, staging_name(name))
        path.mkdir()
        try:
            return path, acquire(path)
        except FileNotFoundError:
            continue  # taken for a dead one before it was locked
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                path.rmdir()
                raise
            return path, None


def _is_mount(path):
    """Also of a directory of the same file system, which `ismount` misses."""
    if os.path.ismount(path):
        return True
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return False
    plain = os.fsencode(path)
    for special in (b"\\", b" ", b"\t", b"\n"):
        plain = plain.replace(special, b"\\%03o" % special[0])
    return any(line.split(b" ")[4] == plain for line in lines)

"""Files that are written whole or not at all."""

import contextlib
import json
import os
import secrets
import shutil
from pathlib import Path


@contextlib.contextmanager
def staged_file(path):
    """Lends a temporary path that becomes `path` when the block ends well.

    The temporary file lies beside `path`, so that the final `os.replace` is
    atomic: a reader, or a crash at any moment, sees the old file or the new
    one. When the block raises, the temporary file is removed and the old file
    is left as it was. A symbolic link is followed, not replaced.

    Args:
        path: str or path of the file to write. Missing parent directories are
            made.

    Yields:
        `pathlib.Path` of the temporary file, which does not exist yet. The
        block must create it.

    Raises:
        FileNotFoundError: If the block ends without creating the file.
        IsADirectoryError: If `path` is a directory.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(
            f"`path` must be a file, not a directory. Received: path={path}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _sibling(target)
    try:
        yield temporary
        _sync(temporary)
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def remove_leftovers(path):
    """Deletes what killed processes left of `staged_file(path)`.

    Only for a file that no other process is writing.

    Args:
        path: str or path of the file, which stays.
    """
    target = Path(os.path.realpath(path))
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        leftover.unlink(missing_ok=True)


def write_bytes(path, content):
    """Writes a file of bytes, whole or not at all.

    Args:
        path: str or path of the file.
        content: bytes, the whole content.
    """
    with staged_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path, content):
    """Writes a UTF-8 text file with `\\n` line ends, whole or not at all.

    Args:
        path: str or path of the file.
        content: str, the whole content.
    """
    write_bytes(path, content.encode("utf-8"))


def write_json(path, content):
    """Writes a JSON file the way Hugging Face does: indented, sorted keys.

    Args:
        path: str or path of the file.
        content: what to write; must be made of plain JSON values.
    """
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n")


@contextlib.contextmanager
def staged_directory(directory, last=(), obsolete=()):
    """Lends a temporary directory whose files move to `directory` at the end.

    All the slow work happens in the temporary directory. When the block ends
    well, its files are moved one rename after the other; those named in
    `last` go last, so that an index never names a file that is not there yet.
    When the block raises, nothing in `directory` has changed.

    Args:
        directory: str or path. Made when missing; other files in it stay.
        last: names of the files to move last, in this order.
        obsolete: callable that takes the set of new names (str, relative to
            `directory`) and returns paths to delete once the new files are in
            place, or a collection of such paths. Missing ones are ignored.

    Yields:
        `pathlib.Path` of the temporary directory, which exists and is empty.

    Raises:
        NotADirectoryError: If `directory` is a file.
    """
    target = Path(os.path.realpath(directory))
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(
            "`directory` must be a directory, not a file. "
            f"Received: directory={directory}."
        )
    # Inside an existing target, which may be a mount point: a rename only
    # works within one file system.
    existed = target.is_dir()
    staging = _sibling(target / "files" if existed else target)
    staging.mkdir(parents=True)
    try:
        yield staging
        for file in staging.rglob("*"):
            if file.is_file():
                _sync(file)
        if existed:
            new = _move_files(staging, target, last)
        else:
            new = {str(f.relative_to(staging)) for f in staging.rglob("*")}
            os.replace(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    shutil.rmtree(staging, ignore_errors=True)
    stale = obsolete(new) if callable(obsolete) else obsolete
    for path in stale:
        if str(path) not in new:
            (target / path).unlink(missing_ok=True)
    _sync_directory(target)


@contextlib.contextmanager
def replaced_directory(directory):
    """Lends a temporary directory that takes the place of `directory`.

    Unlike with `staged_directory` nothing of an older one stays. When the
    block raises, `directory` has not changed. At the end the old directory is
    moved aside, the new one takes its name, and the old one is deleted.

    Args:
        directory: str or path.

    Yields:
        `pathlib.Path` of the temporary directory, which exists and is empty.

    Raises:
        NotADirectoryError: If `directory` is a file.
    """
    target = Path(os.path.realpath(directory))
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(
            "`directory` must be a directory, not a file. "
            f"Received: directory={directory}."
        )
    staging, old = _sibling(target), _sibling(target)
    staging.mkdir(parents=True)
    try:
        yield staging
        for file in staging.rglob("*"):
            if file.is_file():
                _sync(file)
        if target.exists():
            os.replace(target, old)
        try:
            os.replace(staging, target)
        except BaseException:
            if old.exists():
                os.replace(old, target)
            raise
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
    _sync_directory(target.parent)


def _move_files(staging, target, last):
    """Renames every staged file into `target`; returns the names moved."""
    names = sorted(
        str(file.relative_to(staging))
        for file in staging.rglob("*")
        if file.is_file()
    )
    order = [name for name in names if name not in last]
    order += [name for name in last if name in names]
    for name in order:
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        if destination.is_dir():
            raise IsADirectoryError(
                f"{destination} is a directory, but a file of this name has "
                "to be written. Move it away."
            )
        os.replace(staging / name, destination)
    return set(names)


def _sibling(path):
    """Returns a hidden, unused path in the directory of `path`."""
    return path.parent / f".{path.name}.{secrets.token_hex(6)}.tmp"


def _sync(path):
    """Forces the content of a file to the disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _sync_directory(path):
    """Forces the names in a directory to the disk, where this is possible."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        # Some network file systems refuse this; the files themselves are
        # synced already.
        return
    finally:
        os.close(descriptor)

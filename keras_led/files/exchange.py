"""A save in one step: two directories exchange their names."""

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from keras_led.files.locks import lock_directory
from keras_led.files.pending import NEW
from keras_led.files.trees import list_tree
from keras_led.files.trees import move_tree
from keras_led.files.trees import remove_tree
from keras_led.files.trees import sync_directory
from keras_led.files.trees import sync_folders

if TYPE_CHECKING:
    from keras_led.files.trees import Tree

# Larger directories are more than a checkpoint: a whole project, a home.
MAX_FILES = 1000
_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS


def save_by_exchange(staging: Path, target: Path, stale: "Tree") -> bool:
    """Publishes the new files of a staging directory in one step.

    A twin of the directory gets hard links to the files that stay and to the
    new ones. It takes the directory's name: this is the moment of the save.
    Out of sight the directory itself is brought up to date and then gets its
    name back, so that it stays the one that shells and servers have open.

    Args:
        staging: `pathlib.Path` of the directory that holds `NEW`.
        target: `pathlib.Path`, locked.
        stale: `Tree` of what to delete from the target.

    Returns:
        bool. `False` where nothing has changed, because the file system
        cannot do it, the directory is very large, or the working directory
        is in it, whose name must not change for a moment.
    """
    if staging.parent != target.parent or _holds_working_directory(target):
        return False
    twin = staging / "twin"
    with contextlib.ExitStack() as stack:
        try:
            linked = _make_twin(staging / NEW, target, stale, twin)
            if linked is None:
                return False
            # Who finds the twin under the directory's name waits as well.
            stack.enter_context(lock_directory(twin))
            exchange(twin, target)
        except OSError:
            shutil.rmtree(twin, ignore_errors=True)
            return False
        # Whatever fails from here on: the twin is whole, and in place.
        with contextlib.suppress(OSError):
            _update_out_of_sight(staging, twin, target, stale, linked)
    return True


def exchange(first: Path, second: Path) -> None:
    """Lets two paths change places, in one step.

    Args:
        first: path.
        second: path on the same file system.

    Raises:
        OSError: If the system or the file system cannot do it.
    """
    paths = os.fsencode(first), os.fsencode(second)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*paths, _EXCHANGE)
        else:
            failed = library.renameat2(
                _AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _EXCHANGE
            )
    except (AttributeError, TypeError) as error:
        raise OSError(errno.ENOSYS, "no exchange of names") from error
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(first))


def _make_twin(new, target, stale, twin):
    """Returns the inodes of the twin's files by name; `None` if too many."""
    held = list_tree(target, limit=MAX_FILES)
    if held is None:
        return None
    added = list_tree(new)
    twin.mkdir()
    folders = sorted({*held.folders, *added.folders} - {*stale.folders})
    for folder in sorted({*folders, *added.folders}):
        (twin / folder).mkdir()
    linked = {}
    for owner, names in (
        (new, added.files),
        (target, set(held.files) - {*stale.files, *added.files}),
    ):
        for name in names:
            os.link(owner / name, twin / name, follow_symlinks=False)
            linked[name] = os.lstat(twin / name).st_ino
    for folder in ("", *folders):
        if (target / folder).is_dir():
            shutil.copystat(target / folder, twin / folder)
    sync_folders(twin, folders)
    return linked


def _update_out_of_sight(staging, twin, target, stale, linked):
    """Brings the directory, now at the path of the twin, up to date."""
    # The exchange must be on the disk before the directory changes.
    sync_directory(target.parent)
    sync_directory(staging)
    added = list_tree(staging / NEW)
    remove_tree(twin, stale)
    move_tree(staging / NEW, twin)
    sync_folders(twin, added.folders)
    exchange(twin, target)
    sync_directory(target.parent)
    _rescue(twin, target, linked)


def _rescue(twin, target, linked):
    """Moves what others wrote to the twin, while it was in place."""
    files, folders = list_tree(twin)
    for folder in folders:
        if not (target / folder).exists():
            os.rename(twin / folder, target / folder)
    for file in files:
        path = twin / file
        if path.exists() and path.lstat().st_ino != linked.get(file):
            os.replace(path, target / file)


def _holds_working_directory(path):
    try:
        here = os.getcwd()
    except FileNotFoundError:
        return False
    return os.path.commonpath([here, path]) == str(path)

"""A save that was decided but whose files are not all in their places yet.

Where a directory cannot be exchanged as a whole, its new files move one after
the other. Before the first of them moves they lie together in the directory
`.save.tmp` of the target, which appears by one rename: from then on the save
counts. Readers look there first; whoever saves next completes what a killed
process has not.
"""

import errno
import os
import shutil
from pathlib import Path

from keras_led.files.staging import staging_name
from keras_led.files.trees import Tree
from keras_led.files.trees import list_tree
from keras_led.files.trees import move_tree
from keras_led.files.trees import remove_tree
from keras_led.files.trees import sync_folders
from keras_led.files.trees import sync_tree

PENDING = ".save.tmp"
NEW = "new"
_GONE = "gone"


def commit(staging: Path, target: Path, stale: Tree) -> None:
    """Makes the new files of a staging directory those of a directory.

    Args:
        staging: `pathlib.Path` of a directory of the same file system with the
            directory `NEW`.
        target: `pathlib.Path`, locked.
        stale: `Tree` of what to delete from the target.
    """
    gone = staging / _GONE
    gone.mkdir()
    for folder in stale.folders:
        (gone / folder).mkdir(parents=True, exist_ok=True)
    for file in stale.files:
        (gone / file).parent.mkdir(parents=True, exist_ok=True)
        (gone / file).touch()
    sync_tree(gone)
    sync_folders(staging, [])
    os.rename(staging, target / PENDING)
    sync_folders(target, [])
    finish(target)


def finish(target: Path) -> None:
    """Brings the files of a decided save to their places, if there is one.

    Args:
        target: `pathlib.Path`, locked.

    Raises:
        NotADirectoryError: If it would write through a symbolic link.
    """
    pending = target / PENDING
    if pending.is_symlink() or not pending.is_dir():
        return
    new, gone = _tree(pending / NEW), _tree(pending / _GONE)
    _refuse_links(target, gone)
    remove_tree(target, gone)
    _refuse_links(target, new)
    if new.files:
        move_tree(pending / NEW, target)
    sync_folders(target, new.folders)
    done = target / staging_name("save")
    os.rename(pending, done)
    shutil.rmtree(done, ignore_errors=True)


def current_path(directory: Path, name: str) -> Path:
    """Returns where a file of the last decided save lies, if it exists.

    Args:
        directory: `pathlib.Path`.
        name: str, relative to it.

    Returns:
        `pathlib.Path`.
    """
    pending = directory / PENDING
    new = pending / NEW / name
    if new.exists() or (pending / _GONE / name).exists():
        return new
    return directory / name


def current_files(directory: Path) -> dict[str, os.stat_result]:
    """Lists the files of the last decided save in a directory itself.

    Args:
        directory: path.

    Returns:
        Dict of names to `os.stat_result`.
    """
    found = _stats(directory)
    pending = os.path.join(directory, PENDING)
    for name in _stats(os.path.join(pending, _GONE)):
        found.pop(name, None)
    return {**found, **_stats(os.path.join(pending, NEW))}


def _tree(directory):
    return list_tree(directory) if directory.is_dir() else Tree([], [])


def _refuse_links(target, tree):
    """A damaged or foreign `.save.tmp` must not reach other directories."""
    for folder in tree.folders:
        if (target / folder).is_symlink():
            raise NotADirectoryError(
                f"{target / folder} must be a directory, not a symbolic link, "
                f"for the save in {target / PENDING}. Move it away."
            )


def _stats(directory):
    found = {}
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    if entry.is_file():
                        found[entry.name] = entry.stat()
                except OSError as error:
                    # Another process may delete it meanwhile; a link to
                    # itself is no file.
                    if error.errno not in (errno.ENOENT, errno.ELOOP):
                        raise
    except (FileNotFoundError, NotADirectoryError):
        pass
    return found

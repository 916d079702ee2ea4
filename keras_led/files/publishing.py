"""The moment in which the files of a save take the place of older ones."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from keras_led.files.exchange import save_by_exchange
from keras_led.files.locks import lock_directory
from keras_led.files.pending import NEW
from keras_led.files.pending import commit
from keras_led.files.pending import finish
from keras_led.files.staging import is_staging_name
from keras_led.files.trees import Tree
from keras_led.files.trees import list_tree
from keras_led.files.trees import sync_directory
from keras_led.files.trees import sync_tree


def publish(
    staging: Path,
    target: Path,
    obsolete: Callable[[str, set[str]], bool] | None,
    overwrite: bool = True,
) -> None:
    """Moves the new files of a staging directory to their place: all, or none.

    Args:
        staging: `pathlib.Path` of the directory that holds `NEW`.
        target: `pathlib.Path` without symbolic links.
        obsolete: callable, see `atomic.staged_directory`; `None` if nothing
            older stays.
        overwrite: bool, whether the target may hold something.

    Raises:
        FileExistsError: If it does and may not.
        IsADirectoryError: If a directory is in the way of a file.
        NotADirectoryError: If a file is in the way of a directory.
    """
    sync_tree(staging / NEW)
    try:
        if not target.exists():
            os.rename(staging / NEW, target)
            sync_directory(target.parent)
            return
    except OSError:
        # Another process may have made it in this moment.
        if not target.is_dir():
            raise
    with lock_directory(target):
        finish(target)
        if not overwrite and holds_something(target):
            raise FileExistsError(
                "`directory` must be empty when the new files come. Received: "
                f"directory={target}, into which another process has written "
                "meanwhile. Choose another one."
            )
        new = list_tree(staging / NEW)
        stale = _stale(target, new, obsolete)
        _check_ways(target, new, stale)
        _keep_modes(target, staging / NEW, new)
        if not save_by_exchange(staging, target, stale):
            commit(staging, target, stale)


def holds_something(directory: Path) -> bool:
    """Whether a directory holds more than what killed processes left.

    Args:
        directory: path.

    Returns:
        bool. A new file system's `lost+found` does not count.
    """
    return any(not _is_no_content(name) for name in os.listdir(directory))


def _is_no_content(name):
    return is_staging_name(name) or name == "lost+found"


def _stale(target, new, obsolete):
    """Returns the `Tree` of what has to go from the target."""
    if obsolete is None:
        held = list_tree(target)
        kinds = zip(held, new, strict=True)
        return Tree(
            *(
                [
                    name
                    for name in sorted(set(names) - set(kept))
                    if not _is_no_content(name.split(os.sep)[0])
                ]
                for names, kept in kinds
            )
        )
    names = set(new.files)
    return Tree(
        [
            name
            for name in sorted(os.listdir(target))
            if name not in names
            and obsolete(name, names)
            and not os.path.isdir(target / name)
        ],
        [],
    )


def _check_ways(target, new, stale):
    for folder in sorted(set(new.folders) - set(stale.files)):
        path = target / folder
        if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
            raise NotADirectoryError(
                f"{path} is no directory, but one of this name has to be "
                "written. Move it away."
            )
    for file in sorted(set(new.files) - set(stale.folders)):
        path = target / file
        if path.is_dir() and not path.is_symlink():
            raise IsADirectoryError(
                f"{path} is a directory, but a file of this name has to be "
                "written. Move it away."
            )


def _keep_modes(target, staging, new):
    """Gives new files the permissions of those whose place they take."""
    for file in new.files:
        try:
            found = os.lstat(target / file)
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            os.chmod(staging / file, stat.S_IMODE(found.st_mode))

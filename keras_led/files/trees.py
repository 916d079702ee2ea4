"""Whole directories: what is in them, moved and forced to the disk."""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple
from typing import overload


class Tree(NamedTuple):
    """What a directory holds, as names relative to it.

    Args:
        files: list of str; symbolic links count as files.
        folders: list of str, each after its parent.
    """

    files: list[str]
    folders: list[str]


@overload
def list_tree(directory: Path, limit: None = None) -> Tree: ...
@overload
def list_tree(directory: Path, limit: int | None) -> Tree | None: ...
def list_tree(directory: Path, limit: int | None = None) -> Tree | None:
    """Lists what is below a directory.

    Args:
        directory: path.
        limit: int, how many files to list at most.

    Returns:
        `Tree`, or `None` if there are more files than `limit`.
    """
    files, folders, waiting = [], [], [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(os.path.join(directory, folder)) as entries:
            for entry in entries:
                name = os.path.join(folder, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                    waiting.append(name)
                else:
                    files.append(name)
        if limit is not None and len(files) > limit:
            return None
    return Tree(sorted(files), sorted(folders))


def move_tree(source: Path, target: Path) -> None:
    """Moves all files of a directory into another one, by renames.

    It can be called again after it was cut off. An index of weights goes
    last, so that it never names a file that is not there yet.

    Args:
        source: `pathlib.Path`.
        target: `pathlib.Path` of a directory of the same file system.
    """
    files, folders = list_tree(source)
    for folder in folders:
        (target / folder).mkdir(exist_ok=True)
    for file in sorted(files, key=lambda name: name.endswith(".index.json")):
        os.replace(source / file, target / file)


def remove_tree(directory: Path, tree: Tree) -> None:
    """Deletes files, and those folders that are empty then.

    Args:
        directory: `pathlib.Path`.
        tree: `Tree` of names relative to it; missing ones are ignored.
    """
    for file in tree.files:
        (directory / file).unlink(missing_ok=True)
    for folder in reversed(tree.folders):
        with contextlib.suppress(OSError):
            os.rmdir(directory / folder)


def sync_tree(directory: Path) -> None:
    """Forces a directory with all that is below it to the disk.

    Args:
        directory: `pathlib.Path`.
    """
    files, folders = list_tree(directory)
    for file in files:
        if not os.path.islink(directory / file):
            sync_file(directory / file)
    sync_folders(directory, folders)


def sync_folders(directory: Path, folders: list[str]) -> None:
    """Forces the names in a directory and in some below it to the disk.

    Args:
        directory: `pathlib.Path`.
        folders: list of str relative to it, each after its parent.
    """
    for folder in reversed(folders):
        sync_directory(directory / folder)
    sync_directory(directory)


def sync_file(path: Path) -> None:
    """Forces the content of a file to the disk.

    Args:
        path: path.
    """
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Forces the names in a directory to the disk, where this is possible.

    Args:
        path: path.
    """
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

"""Files and directories that are written whole or not at all."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_led.files.pending import NEW
from keras_led.files.publishing import publish
from keras_led.files.staging import best_parent
from keras_led.files.staging import is_staging_name
from keras_led.files.staging import locked_staging
from keras_led.files.staging import remove_dead_staging
from keras_led.files.trees import sync_directory
from keras_led.files.trees import sync_file
from keras_led.typing import StrPath


@contextlib.contextmanager
def staged_file(path: StrPath) -> Iterator[Path]:
    """Lends a temporary path that becomes `path` when the block ends well.

    The temporary file lies in a hidden directory beside `path`, so that the
    final `os.replace` is atomic: a reader, or a crash at any moment, sees the
    old file or the new one. When the block raises, the temporary file is
    removed and the old file is left as it was; what a killed process left is
    removed by the next one. A symbolic link is followed, not replaced.

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
    if _is_part_of_save(target):
        yield target
        os.stat(target)
        return
    with locked_staging(target.parent, target.name) as staging:
        temporary = staging / target.name
        yield temporary
        sync_file(temporary)
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
        sync_directory(target.parent)


def write_bytes(path: StrPath, content: bytes) -> None:
    """Writes a file of bytes, whole or not at all.

    Args:
        path: str or path of the file.
        content: bytes, the whole content.
    """
    with staged_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: StrPath, content: str) -> None:
    """Writes a UTF-8 text file with `\\n` line ends, whole or not at all.

    Args:
        path: str or path of the file.
        content: str, the whole content.
    """
    write_bytes(path, content.encode("utf-8"))


def write_json(path: StrPath, content: Any) -> None:
    """Writes a JSON file the way Hugging Face does: indented, sorted keys.

    Args:
        path: str or path of the file.
        content: what to write; must be made of plain JSON values.
    """
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n")


@contextlib.contextmanager
def staged_directory(
    directory: StrPath,
    obsolete: Callable[[str, set[str]], bool] | None = lambda name, new: False,
) -> Iterator[Path]:
    """Lends a temporary directory whose files go to `directory` in one step.

    A reader, or a crash at any moment, sees the old files or the new ones.
    When the block raises, nothing in `directory` has changed. What a killed
    process left is removed by the next one. Where the system cannot exchange
    directories (network file systems, mount points), other programs may see
    files move for a moment; `resolve` never does.

    Args:
        directory: str or path. Made when missing; other files in it stay.
        obsolete: callable that takes the name of an older file in `directory`
            and the set of the new names, and returns whether it goes.

    Yields:
        `pathlib.Path` of the temporary directory, which exists and is empty.

    Raises:
        NotADirectoryError: If `directory` is a file.
    """
    target = Path(os.path.realpath(directory))
    if _is_part_of_save(target):
        target.mkdir(parents=True, exist_ok=True)
        yield target
        return
    with _staging_for(target) as staging:
        yield staging / NEW
        publish(staging, target, obsolete)


@contextlib.contextmanager
def replaced_directory(
    directory: StrPath, overwrite: bool = True
) -> Iterator[Path]:
    """Lends a temporary directory that takes the place of `directory`.

    As `staged_directory`, but nothing older stays.

    Args:
        directory: str or path.
        overwrite: bool, whether `directory` may hold something at the end.

    Yields:
        `pathlib.Path` of the temporary directory, which exists and is empty.

    Raises:
        FileExistsError: If it does and may not.
        NotADirectoryError: If `directory` is a file.
    """
    target = Path(os.path.realpath(directory))
    with _staging_for(target) as staging:
        yield staging / NEW
        publish(staging, target, None, overwrite)


@contextlib.contextmanager
def _staging_for(target):
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(
            "`directory` must be a directory, not a file. "
            f"Received: directory={target}."
        )
    if target.is_dir():
        remove_dead_staging(target)
    parent = best_parent(target)
    parent.mkdir(parents=True, exist_ok=True)
    with locked_staging(parent, target.name or "files") as staging:
        (staging / NEW).mkdir()
        yield staging


def _is_part_of_save(target):
    """Whether a path lies in a larger save, unseen before that is whole."""
    return any(is_staging_name(part) for part in target.parts)

"""From a directory, an embedded name or a hub id to a local file."""

import json
import os
import re
from pathlib import Path
from typing import Any

from keras_led.files.embedded import find_embedded
from keras_led.files.hub_download import find_on_hub
from keras_led.files.pending import current_path
from keras_led.files.reading import reading
from keras_led.typing import StrPath

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Parsing takes up to 24 bytes for one; vocabularies and indexes have a few MB.
_LARGEST_JSON = 32 * 2**20
# What Python copies and writes however deep its own stack is.
_DEEPEST_JSON = 100


def resolve(
    name_or_path: StrPath,
    filenames: str | list[str],
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: StrPath | None = None,
    local_files_only: bool = False,
    subfolder: str = "",
    required: bool = True,
) -> Path | None:
    """Finds a file of a checkpoint, downloading it from the hub if need be.

    A directory on this machine is used as it is, and a name of
    `embedded_names()` means the checkpoint in the package. Any other name
    that can be a hub id, `"owner/name"`, goes through `huggingface_hub`: its
    cache, its login, and its environment variables (`HF_HOME`, `HF_TOKEN`,
    `HF_HUB_OFFLINE`, `HF_ENDPOINT`) all apply. A name without an owner is
    asked of a hub of one's own only, one that `HF_ENDPOINT` names.

    Args:
        name_or_path: str or path: a local directory, the name of an embedded
            checkpoint, or a hub id.
        filenames: str, or list of str: names of a file relative to the
            directory, the preferred one first. The first that exists counts.
        revision: str, branch, tag or commit on the hub. Defaults to `main`.
        token: str or bool, hub access token. Defaults to the saved login.
        cache_dir: str or path of the download cache. Defaults to the hub's.
        local_files_only: bool. If `True`, only the cache is looked at.
        subfolder: str, folder of the checkpoint that holds the files.
        required: bool. If `False`, a checkpoint without any of the files
            gives `None` instead of an error; so does, without a network, a
            file that is not in the cache.

    Returns:
        `pathlib.Path` of the file on this machine, or `None`.

    Raises:
        FileNotFoundError: If the directory, the hub model, the revision or
            each of the files does not exist.
        PermissionError: If the hub refuses access: the model is gated, or
            the token missing or not enough.
        ConnectionError: If the hub cannot be reached, or asks to wait, and
            the file is not in the cache.
        ImportError: If a hub id is given and `huggingface_hub` is missing.
    """
    names = [filenames] if isinstance(filenames, str) else list(filenames)
    for name in names:
        _check_inside(name, subfolder)
    name_or_path = os.path.expanduser(os.fspath(name_or_path))
    directory = Path(name_or_path)
    if not directory.exists():
        directory = find_embedded(name_or_path) or directory
    if directory.is_dir():
        path = _find_local(directory / subfolder, names)
        missing = f"the directory {directory / subfolder}"
    elif directory.exists():
        raise NotADirectoryError(
            "`name_or_path` must be a directory or a Hugging Face hub id, not "
            f"a file. Received: name_or_path={name_or_path}."
        )
    elif not _HUB_ID.fullmatch(name_or_path):
        raise FileNotFoundError(
            "`name_or_path` must be an existing directory, or a Hugging Face "
            f"hub id such as owner/name. Received: name_or_path={name_or_path}"
            ", which does not exist. Check the spelling of the path."
        )
    else:
        path = find_on_hub(
            name_or_path,
            names,
            required,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            subfolder=subfolder or None,
        )
        missing = f"the hub model {name_or_path}"
    if path is None and required:
        raise FileNotFoundError(
            f"{missing[0].upper()}{missing[1:]} must hold "
            f"{' or '.join(names)}. Received: name_or_path={name_or_path}. "
            "Check that this is the directory of an LED checkpoint."
        )
    return path


def read_json(path: StrPath) -> dict[str, Any]:
    """Reads a JSON file that must hold an object.

    Args:
        path: str or path of the file.

    Returns:
        The object, as a `dict`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is not UTF-8, not JSON, not an object, or
            larger or deeper than any file of a checkpoint.
    """
    with reading(path, "be a JSON file, but it cannot be parsed"):
        if os.path.getsize(path) > _LARGEST_JSON:
            raise ValueError(f"it is larger than {_LARGEST_JSON:,} bytes")
        text = Path(path).read_text(encoding="utf-8")
        content = json.loads(text)
        if _depth(content) > _DEEPEST_JSON:
            raise RecursionError
        if _SURROGATE.search(text):
            # Half a character can be neither encoded nor written again.
            json.dumps(content, ensure_ascii=False).encode("utf-8")
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} must hold a JSON object. "
            f"Received: {type(content).__name__}."
        )
    return content


def _depth(content):
    """How many lists and objects lie within each other."""
    depth, level = 0, [content]
    while level := [x for x in level if isinstance(x, dict | list)]:
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        depth += 1
    return depth


def _check_inside(name, subfolder):
    """Refuses names that would lead out of the checkpoint's directory."""
    for value in (name, subfolder):
        parts = re.split(r"[/\\]", value)
        if ".." in parts or os.path.isabs(value) or ":" in parts[0]:
            raise ValueError(
                "A file of a checkpoint must lie inside its directory. "
                f"Received: name={value!r}."
            )


def _find_local(directory, names):
    for name in names:
        path = current_path(directory, name)
        if path.is_file():
            return path
    return None

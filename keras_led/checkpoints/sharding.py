"""Splits a checkpoint into files of a limited size."""

import re
from collections.abc import Sequence
from typing import Any

_UNITS = {
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}


def parse_size(size: int | str) -> int:
    """Returns a number of bytes from a text such as `"5GB"` or `"200MiB"`.

    Args:
        size: int, bytes, or str with a unit, decimal (`MB`) or binary
            (`MiB`).

    Returns:
        int, bytes.

    Raises:
        ValueError: If `size` is no positive number, or has no known unit.
    """
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    match = re.fullmatch(
        r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)\s*", str(size), re.I
    )
    if match is None or not float(match[1]):
        raise ValueError(
            "`max_shard_size` must be a number of bytes, or a text such as "
            f"'5GB' or '200MB'. Received: max_shard_size={size!r}."
        )
    return int(float(match[1]) * _UNITS[match[2].upper()])


def split(tensors: Sequence[Any], max_shard_size: int | str) -> list[list[Any]]:
    """Puts tensors into shards, in order; a larger tensor gets its own.

    Args:
        tensors: list of objects with `nbytes`.
        max_shard_size: int or str, see `parse_size`.

    Returns:
        List of lists of tensors.
    """
    limit = parse_size(max_shard_size)
    shards, used = [[]], 0
    for tensor in tensors:
        if shards[-1] and used + tensor.nbytes > limit:
            shards.append([])
            used = 0
        shards[-1].append(tensor)
        used += tensor.nbytes
    return shards


def shard_names(stem: str, suffix: str, count: int) -> list[str]:
    """Returns the file names of `count` shards, as Hugging Face has them.

    Args:
        stem: str, such as `model`.
        suffix: str, such as `.safetensors`.
        count: int; 1 gives the plain name.
    """
    if count == 1:
        return [f"{stem}{suffix}"]
    return [
        f"{stem}-{number:05d}-of-{count:05d}{suffix}"
        for number in range(1, count + 1)
    ]


def is_weight_file(name: str, stem: str, suffix: str) -> bool:
    """Whether a file is one of a save: the only one, a shard or the index.

    Args:
        name: str, name of the file.
        stem: str, such as `model`.
        suffix: str, such as `.safetensors`.

    Returns:
        bool.
    """
    pattern = (
        rf"{re.escape(stem)}(-\d{{5}}-of-\d{{5}})?{re.escape(suffix)}"
        r"(\.index\.json)?"
    )
    return re.fullmatch(pattern, name) is not None


def index(files: list[str], shards: list[list[Any]]) -> dict[str, Any]:
    """Returns the content of an index file.

    Args:
        files: list of str, the names of the shards.
        shards: list of lists of objects with `name` and `nbytes`.

    Returns:
        Dict, ready for JSON.
    """
    return {
        "metadata": {
            "total_size": sum(t.nbytes for shard in shards for t in shard)
        },
        "weight_map": {
            tensor.name: file
            for file, shard in zip(files, shards, strict=True)
            for tensor in shard
        },
    }

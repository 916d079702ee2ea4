"""One file with the whole state of a training run, whole or not at all."""

import hashlib
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_led.files import staged_file
from keras_led.files.reading import reading

FORMAT = 2
FACTS = "facts.json"


def write_state(
    path: Path, groups: dict[str, Any], facts: dict[str, Any]
) -> None:
    """Writes variables and facts to one file, array by array.

    The file takes the place of an older one by a rename, after all of it is
    on the disk: a crash at any moment leaves the old file or the new one.

    Args:
        path: path of the file, a `.npz` that NumPy reads too.
        groups: dict of str to a list of arrays of any type.
        facts: dict of plain JSON values.
    """
    index = {
        name: [[array.dtype.name, list(array.shape)] for array in arrays]
        for name, arrays in groups.items()
    }
    content = {**facts, "format": FORMAT, "arrays": index}
    content["digest"] = _digest(content)
    with (
        staged_file(path) as staged,
        zipfile.ZipFile(staged, "w", zipfile.ZIP_STORED) as archive,
    ):
        archive.writestr(FACTS, json.dumps(content))
        for name, arrays in groups.items():
            for number, array in enumerate(arrays):
                with archive.open(
                    _member(name, number), "w", force_zip64=True
                ) as member:
                    np.lib.format.write_array(member, _plain(array))


def read_facts(path: Path) -> dict[str, Any] | None:
    """Reads the facts of a state alone.

    Args:
        path: path of the file.

    Returns:
        dict, or `None` if there is no file.

    Raises:
        ValueError: If the file is damaged or of a later format.
    """
    return _read(path, ())[0]


def read_state(path: Path, expected: dict[str, Any]) -> tuple[Any, Any]:
    """Reads a state that `write_state` wrote.

    Args:
        path: path of the file.
        expected: dict of str to a list of arrays, or of anything with `dtype`
            and `shape`: what the state must consist of.

    Returns:
        Pair of the facts and a dict of lists of arrays; `(None, None)` if
        there is no file.

    Raises:
        ValueError: If the file is damaged, of a later format, or holds other
            arrays than expected.
    """
    facts, groups = _read(path, expected)
    return facts, groups


def _read(path, expected):
    rule = "hold the whole state of a run, or be deleted to start anew"
    try:
        with reading(path, rule), zipfile.ZipFile(path) as archive:
            # Unpacked, 600 kB may become 600 MB; we never pack.
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{member.filename} is compressed")
            facts = json.loads(archive.read(FACTS))
            if facts["format"] != FORMAT:
                raise ValueError(
                    f"A state must have the format {FORMAT}. "
                    f"Received: {path} of the format {facts['format']}. "
                    "Resume with the version that wrote it."
                )
            if facts.pop("digest") != _digest(facts):
                raise ValueError(f"{FACTS} has changed")
            groups = {
                name: _read_group(path, archive, name, facts, arrays)
                for name, arrays in dict(expected).items()
            }
    except FileNotFoundError:
        return None, None
    return facts, groups


def _digest(facts):
    text = json.dumps(facts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _read_group(path, archive, name, facts, expected):
    """Reads the arrays of a group, once their shapes are seen to agree."""
    found = [(dtype, tuple(shape)) for dtype, shape in facts["arrays"][name]]
    wanted = [(_dtype_name(array), tuple(array.shape)) for array in expected]
    if found != wanted:
        pairs = zip(found, wanted, strict=False)
        first = next((p for p in pairs if p[0] != p[1]), ("more", "fewer"))
        raise ValueError(
            f"`{name}` must be that of the run which is resumed: the same "
            f"model, optimizer and metrics. Received: {path} with "
            f"{len(found)} arrays for {len(wanted)}; the first difference is "
            f"{first[0]} for {first[1]}. Use another folder for another run."
        )
    return [
        _read_array(archive, _member(name, number), _numpy_dtype(dtype), shape)
        for number, (dtype, shape) in enumerate(found)
    ]


def _read_array(archive, name, dtype, shape):
    """Reads an array, once its own header is seen to agree."""
    size = dtype.itemsize * math.prod(shape)
    with archive.open(name) as member:
        np.lib.format.read_magic(member)
        header = np.lib.format.read_array_header_1_0(member)
        if header != (shape, False, _plain(np.empty(0, dtype)).dtype):
            raise ValueError(f"{name} has a header of another array")
        if member.tell() + size != archive.getinfo(name).file_size:
            raise ValueError(f"{name} is not as long as its array")
        member.seek(0)
        array = np.lib.format.read_array(member)
        # The end of the member is where its checksum is compared.
        member.read()
    return array.view(dtype)


def _member(name, number):
    return f"{name}/{number:05d}.npy"


def _dtype_name(array):
    return str(getattr(array.dtype, "name", array.dtype))


def _numpy_dtype(name):
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def _plain(array):
    """NumPy's files know no bfloat16: its bits go as integers."""
    array = np.asarray(array, order="C")
    return array.view("uint16") if array.dtype.name == "bfloat16" else array

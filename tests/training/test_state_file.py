"""A state in one file: what comes back, and what is refused."""

import errno
import io
import os
import subprocess
import sys
import tracemalloc
import zipfile

import ml_dtypes
import numpy as np
import pytest

from keras_led.training.state_file import read_facts
from keras_led.training.state_file import read_state
from keras_led.training.state_file import write_state

GROUPS = {
    "model": [
        np.arange(6, dtype="float32").reshape(2, 3),
        np.array([1.5, -2], ml_dtypes.bfloat16),
        np.array(7, "int64"),
    ],
    "seeds": [np.array([1, 2**32 - 1], "uint32"), np.zeros((0, 2), "float16")],
}

# Writes a state with 1 in it, then dies while it writes one with 2: at the
# second array, or when the file is whole but not yet in its place.
DIE = """
import os, signal, sys
import numpy as np
from keras_led.training import state_file

path, moment = sys.argv[1:]
arrays = lambda n: {"model": [np.full(1000, n), np.full(1000, n)]}
state_file.write_state(path, arrays(1), {"number": 1})

def die(*args, **kwargs):
    if moment == "rename" or args[1][0] != written.pop():
        os.kill(os.getpid(), signal.SIGKILL)
    write(*args, **kwargs)

write, written = np.lib.format.write_array, [2, 0]
if moment == "rename":
    os.replace = die
else:
    np.lib.format.write_array = die
    written.reverse()
state_file.write_state(path, arrays(2), {"number": 2})
"""


def test_a_state_comes_back_as_it_was(tmp_path):
    path = tmp_path / "deep" / "state.npz"
    write_state(path, GROUPS, {"step": 3})
    facts, groups = read_state(path, GROUPS)
    assert facts["step"] == read_facts(path)["step"] == 3
    for name, arrays in GROUPS.items():
        for found, expected in zip(groups[name], arrays, strict=True):
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


def test_no_file_is_no_state(tmp_path):
    assert read_facts(tmp_path / "state.npz") is None
    assert read_state(tmp_path / "state.npz", GROUPS) == (None, None)


def test_a_state_of_another_model_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    write_state(path, GROUPS, {})
    fewer = {**GROUPS, "model": GROUPS["model"][:2]}
    with pytest.raises(ValueError, match="`model` must be .* 3 arrays for 2"):
        read_state(path, fewer)
    other = {"seeds": [GROUPS["seeds"][0], np.zeros((0, 3), "float16")]}
    with pytest.raises(ValueError, match=r"\(0, 2\)\) for .*\(0, 3\)\)"):
        read_state(path, other)


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_state_is_refused(tmp_path, damage):
    path = tmp_path / "state.npz"
    write_state(path, GROUPS, {})
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        # A bit of the float 2.0 of the first array.
        place = content.index(np.float32(2).tobytes() + np.float32(3).tobytes())
        content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path} must hold the whole state"):
        read_state(path, GROUPS)


def repack(path, changes, method=zipfile.ZIP_STORED):
    """Writes the archive again, with some members changed or left out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in {**members, **changes}.items():
            if content is not None:
                archive.writestr(name, content)


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"facts.json": None}, "KeyError"),
        ({"facts.json": b"[" * 100_000}, "nested too deeply"),
        ({"facts.json": b"[]"}, "list indices"),
        ({"facts.json": b"\xff"}, "can't decode"),
        ({"model/00002.npy": None}, "KeyError"),
        ({"model/00000.npy": b""}, "EOF|magic"),
        ({"model/00002.npy": npy(np.array(7.0))}, "another array"),
        ({"model/00000.npy": npy(np.zeros(6, "float32"))}, "another array"),
        (
            {"model/00000.npy": npy(GROUPS["model"][0].T.copy().T)},
            "another array",
        ),
        ({"model/00000.npy": npy(GROUPS["model"][0]) + b"1"}, "not as long"),
        ({"model/00000.npy": npy(GROUPS["model"][0])[:-4]}, "not as long"),
    ],
)
def test_a_state_that_was_changed_is_refused(tmp_path, changes, reason):
    path = tmp_path / "state.npz"
    write_state(path, GROUPS, {"step": 3})
    repack(path, changes)
    message = f"^{path} must hold the whole state of a run.*({reason})"
    with pytest.raises(ValueError, match=message):
        read_state(path, GROUPS)


@pytest.mark.parametrize(
    ("old", "new"), [("step", "stop"), (": 3", ": 4"), (": 3", ': "3"')]
)
def test_changed_facts_are_refused(tmp_path, old, new):
    path = tmp_path / "state.npz"
    write_state(path, GROUPS, {"step": 3})
    with zipfile.ZipFile(path) as archive:
        text = archive.read("facts.json").decode()
    repack(path, {"facts.json": text.replace(old, new, 1)})
    with pytest.raises(ValueError, match=f"^{path} must .*has changed"):
        read_facts(path)


def test_a_state_that_unpacks_to_more_than_it_is_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    write_state(path, GROUPS, {})
    repack(path, {"facts.json": b" " * 10**8}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"^{path} .*is compressed"):
        read_facts(path)
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


def test_a_state_that_cannot_be_opened_is_not_damaged(tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    write_state(path, GROUPS, {})

    def no_descriptor(*arguments):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))

    monkeypatch.setattr(zipfile, "ZipFile", no_descriptor)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        read_facts(path)


@pytest.mark.parametrize("moment", ["write", "rename"])
def test_a_kill_while_writing_leaves_the_former_state(tmp_path, moment):
    path = tmp_path / "state.npz"
    command = [sys.executable, "-c", DIE, str(path), moment]
    died = subprocess.run(command, capture_output=True, text=True, check=False)
    assert died.returncode == -9, died.stderr
    expected = {"model": [np.full(1000, 1)] * 2}
    facts, groups = read_state(path, expected)
    assert facts["number"] == 1
    assert (groups["model"][1] == 1).all()
    # The unfinished file is still there, beside it.
    assert len(list(tmp_path.iterdir())) == 2

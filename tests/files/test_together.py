import pytest

from keras_led.files import resolve
from keras_led.files import together
from keras_led.files.atomic import staged_directory
from keras_led.files.pending import PENDING
from keras_led.files.together import read_together
from tests.files.folders import write_all


def save(folder, text):
    with staged_directory(folder) as staging:
        write_all(staging, {"a": text, "b": text})


def test_files_are_read_again_when_a_save_came_between(tmp_path):
    save(tmp_path / "model", "old")
    found, discarded = [], []

    def read():
        found.append((tmp_path / "model" / "a").read_text())
        if len(found) == 1:
            save(tmp_path / "model", "new")
        return found[-1], (tmp_path / "model" / "b").read_text()

    assert read_together(
        tmp_path, read, subfolder="model", discard=discarded.append
    ) == ("new", "new")
    assert discarded == [("old", "new")]


def test_fault_between_two_saves_is_read_again_and_others_are_not(tmp_path):
    save(tmp_path, "old")
    calls = []

    def read(change):
        calls.append(change)
        if len(calls) == 1 and change:
            save(tmp_path, "new")
        if len(calls) == 1:
            raise ValueError("does not fit")
        return "fits"

    assert read_together(tmp_path, lambda: read(True)) == "fits"
    calls.clear()
    with pytest.raises(ValueError, match="does not fit"):
        read_together(tmp_path, lambda: read(False))


def test_directory_that_never_holds_still_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(together, "_ATTEMPTS", 3)
    with pytest.raises(OSError, match=f"{tmp_path} must hold still.* 3 "):
        read_together(tmp_path, lambda: save(tmp_path, "new"))


def test_hub_id_is_read_once():
    assert read_together("owner/name", lambda: 7) == 7


def test_pending_save_is_the_one_that_is_read(tmp_path):
    write_all(tmp_path, {"a": "old", "b": "old", "c": "old"})
    write_all(tmp_path / PENDING, {"new/a": "new", "gone/b": ""})
    assert resolve(tmp_path, ["a"]).read_text() == "new"
    assert resolve(tmp_path, "b", required=False) is None
    assert resolve(tmp_path, ["b", "c"]).read_text() == "old"
    with staged_directory(tmp_path) as staging:
        write_all(staging, {"d": "newer"})
    assert {x.name: x.read_text() for x in tmp_path.iterdir()} == {
        "a": "new",
        "c": "old",
        "d": "newer",
    }

"""A save that is killed at any step leaves the old files or the new ones."""

import os
import shutil

import pytest

from keras_led.files import exchange
from keras_led.files import staging
from keras_led.files.atomic import replaced_directory
from keras_led.files.atomic import staged_directory
from keras_led.files.atomic import staged_file
from keras_led.files.pending import PENDING
from tests.files.folders import Mortal
from tests.files.folders import read_all
from tests.files.folders import read_current
from tests.files.folders import write_all

OLD = {"a": "old", "b": "old", "s-1": "old", "s-2": "old", "mine": "old"}
MERGED = {"a": "new", "b": "new", "s-1": "new", "mine": "old"}
REPLACED = {"a": "new", "b": "new", "s-1": "new"}


def merge(target):
    with staged_directory(target, lambda name, new: name[0] == "s") as staging:
        write_all(staging, REPLACED)


def replace(target):
    with replaced_directory(target) as staging:
        write_all(staging, REPLACED)


def no_exchange(first, second):
    raise OSError("not here")


def take_away(monkeypatch, way):
    """Takes a way of saving from the system: exchange, then neighbors."""
    if way != "exchange":
        monkeypatch.setattr(exchange, "exchange", no_exchange)
    if way == "mount point":
        monkeypatch.setattr(staging, "_is_mount", lambda path: True)


@pytest.mark.parametrize("way", ["exchange", "no exchange", "mount point"])
@pytest.mark.parametrize(
    ("save", "after"), [(merge, MERGED), (replace, REPLACED)]
)
def test_killed_save(tmp_path, monkeypatch, save, after, way):
    take_away(monkeypatch, way)
    mortal = Mortal(monkeypatch)
    found = []
    for steps in range(200):
        target = tmp_path / str(steps) / "model"
        write_all(target, OLD)
        if not mortal.dies(steps, lambda: save(target)):  # noqa: B023
            break
        found.append(read_current(target))
        if way == "exchange":  # then for other programs too
            assert read_all(target) == found[-1]
        # What was left does not hinder the next save, and goes with it.
        save(target)
        assert read_all(target) == after
        assert os.listdir(target.parent) == ["model"]
        shutil.rmtree(target.parent)
    assert steps > 20
    assert read_all(target) == after
    assert [x for x in found if x not in (OLD, after)] == []
    assert OLD in found and after in found


def test_first_save_that_is_killed_leaves_nothing_or_all(tmp_path, monkeypatch):
    mortal = Mortal(monkeypatch)
    found = []
    for steps in range(200):
        target = tmp_path / str(steps) / "model"
        if not mortal.dies(steps, lambda: merge(target)):  # noqa: B023
            break
        found.append(read_all(target) if target.exists() else None)
    assert all(x in (None, REPLACED) for x in found)
    assert read_all(target) == REPLACED


def test_killed_write_of_one_file(tmp_path, monkeypatch):
    mortal = Mortal(monkeypatch)

    def write(text):
        with staged_file(tmp_path / "a") as temporary:
            temporary.write_text(text)

    write("old")
    for steps in range(20):
        if not mortal.dies(steps, lambda: write("new")):
            break
        assert (tmp_path / "a").read_text() in ("old", "new")
        write("old")
        assert os.listdir(tmp_path) == ["a"]
    assert steps > 3


def test_files_of_a_live_writer_are_left_to_it(tmp_path):
    target = tmp_path / "model"
    write_all(target, OLD)
    with staged_directory(target) as first:
        write_all(first, {"a": "first"})
        with staged_directory(target) as second:
            write_all(second, {"a": "second", "b": "second"})
        assert read_all(target)["a"] == "second"
        with staged_file(target / "a") as third:
            third.write_text("third")
            merge(target)
            assert third.exists()
    assert read_all(target) == {**MERGED, "a": "first"}
    assert os.listdir(tmp_path) == ["model"]


def test_other_names_keep_their_hidden_files(tmp_path):
    others = [".model.tmp", ".other.0123456789ab.tmp", ".model.0123.tmp"]
    for name in others:
        (tmp_path / name).mkdir()
    (tmp_path / ".model.0123456789ab.tmp").mkdir()
    merge(tmp_path / "model")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "model"])


def test_what_others_write_while_a_save_ends_stays(tmp_path, monkeypatch):
    target = tmp_path / "model"
    write_all(target, {**OLD, "run/state": "old"})
    swap = exchange.exchange

    def busy(first, second):
        swap(first, second)
        monkeypatch.setattr(exchange, "exchange", swap)
        write_all(target, {"history": "here"})
        with staged_file(target / "run" / "state") as staged:
            staged.write_text("here")
        (target / "logs").mkdir()

    monkeypatch.setattr(exchange, "exchange", busy)
    merge(target)
    assert read_all(target) == {
        **MERGED,
        "history": "here",
        "run/state": "here",
    }
    assert (target / "logs").is_dir()


def test_large_directory_is_saved_into(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange, "MAX_FILES", 4)
    write_all(tmp_path / "model", OLD)
    merge(tmp_path / "model")
    assert read_all(tmp_path / "model") == MERGED
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("part", ["new", "gone"])
def test_pending_save_reaches_no_other_directory(tmp_path, part):
    target = tmp_path / "model"
    write_all(target, OLD)
    write_all(tmp_path / "outside", {"file": "kept"})
    (target / "link").symlink_to(tmp_path / "outside")
    write_all(target / PENDING / part, {"link/file": "other"})
    with pytest.raises(NotADirectoryError, match="link must be a directory"):
        merge(target)
    assert read_all(tmp_path / "outside") == {"file": "kept"}

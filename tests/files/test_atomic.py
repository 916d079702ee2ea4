import os

import pytest

from keras_led.files.atomic import replaced_directory
from keras_led.files.atomic import staged_directory
from keras_led.files.atomic import staged_file
from keras_led.files.atomic import write_text
from tests.files.folders import read_all
from tests.files.folders import write_all


def test_text_is_written_with_unix_line_ends_and_parents(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "é\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\xc3\xa9\n"
    assert os.listdir(tmp_path / "new") == ["a.txt"]


def test_failing_write_keeps_the_old_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with staged_file(path) as temporary:
            temporary.write_text("half of the new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), staged_file(tmp_path / "a"):
        pass
    assert os.listdir(tmp_path) == []


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_mode_of_the_old_file_is_kept_and_a_new_one_follows_umask(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    write_text(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "b", "new")
    assert (tmp_path / "b").stat().st_mode == (
        (tmp_path / "plain").stat().st_mode
    )


def test_directory_in_the_way_is_named(tmp_path):
    with pytest.raises(IsADirectoryError, match=f"path={tmp_path}"):
        write_text(tmp_path, "x")


def test_failing_directory_changes_nothing(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "a").write_text("old")

    def failing():
        with staged_directory(target) as staging:
            (staging / "a").write_text("new")
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        failing()
    assert (target / "a").read_text() == "old"
    assert os.listdir(target) == ["a"]
    with pytest.raises(RuntimeError), staged_directory(tmp_path / "b"):
        raise RuntimeError
    assert os.listdir(tmp_path) == ["model"]


def test_directory_is_filled_and_obsolete_files_go(tmp_path):
    target = tmp_path / "model"
    for names in (["a", "old", "kept"], ["a", "sub/new"]):
        with staged_directory(
            target, lambda name, new: name == "old" and "a" in new
        ) as staging:
            write_all(staging, dict.fromkeys(names, names[-1]))
    assert read_all(target) == {
        "a": "sub/new",
        "kept": "kept",
        "sub/new": "sub/new",
    }
    assert os.listdir(tmp_path) == ["model"]


def test_replaced_directory_keeps_nothing(tmp_path):
    target = tmp_path / "export"
    write_all(target, {"a/b": "old", "a/c": "old", "d": "old"})
    (target / "empty").mkdir()
    with replaced_directory(target) as staging:
        write_all(staging, {"a": "new", "d/e": "new"})
        (staging / "assets").mkdir()
    assert read_all(target) == {"a": "new", "d/e": "new"}
    assert sorted(os.listdir(target)) == ["a", "assets", "d"]


def test_directory_that_another_process_filled_is_not_replaced(tmp_path):
    target = tmp_path / "export"

    def save():
        with replaced_directory(target, overwrite=False) as staging:
            write_all(staging, {"a": "mine"})
            write_all(target, {"b": "another's"})

    message = "`directory` must be empty.*directory=.*export"
    with pytest.raises(FileExistsError, match=message):
        save()
    assert read_all(target) == {"b": "another's"}
    assert os.listdir(tmp_path) == ["export"]


def test_directory_stays_the_one_that_is_open(tmp_path):
    target = tmp_path / "model"
    write_all(target, {"a": "old", "log": "one\n"})
    target.chmod(0o2750)
    (target / "a").chmod(0o640)
    inode = target.stat().st_ino
    with open(target / "log", "a") as log:
        with staged_directory(target) as staging:
            write_all(staging, {"a": "new"})
        log.write("two\n")
    assert target.stat().st_ino == inode
    assert target.stat().st_mode & 0o7777 == 0o2750
    assert (target / "a").stat().st_mode & 0o777 == 0o640
    assert read_all(target) == {"a": "new", "log": "one\ntwo\n"}


def test_working_directory_can_be_saved_into(tmp_path, monkeypatch):
    write_all(tmp_path / "model", {"a": "old"})
    monkeypatch.chdir(tmp_path / "model")
    with staged_directory(".") as staging:
        write_all(staging, {"a": "new"})
    assert os.getcwd() == str(tmp_path / "model")
    assert read_all(tmp_path / "model") == {"a": "new"}
    assert os.listdir(tmp_path) == ["model"]


def test_linked_directory_stays_a_link(tmp_path):
    write_all(tmp_path / "disk" / "model", {"a": "old", "b": "old"})
    (tmp_path / "link").symlink_to("disk/model")
    (tmp_path / "disk" / "model" / "c").symlink_to("b")
    with staged_directory(tmp_path / "link") as staging:
        write_all(staging, {"a": "new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "model" / "c").is_symlink()
    assert read_all(tmp_path / "disk" / "model") == {
        "a": "new",
        "b": "old",
        "c": "old",
    }
    assert os.listdir(tmp_path / "disk") == ["model"]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("a/b", "a", IsADirectoryError),
        ("a", "a/b", NotADirectoryError),
    ],
)
def test_what_is_in_the_way_is_named(tmp_path, old, new, error):
    target = tmp_path / "model"
    write_all(target, {old: "old", "c": "old"})
    with (
        pytest.raises(error, match="model/a .*Move it away"),
        staged_directory(target) as staging,
    ):
        write_all(staging, {new: "new", "c": "new"})
    assert read_all(target) == {old: "old", "c": "old"}


def test_file_in_place_of_a_directory_is_an_error(tmp_path):
    (tmp_path / "model").write_text("")
    with (
        pytest.raises(NotADirectoryError, match="directory=.*model"),
        staged_directory(tmp_path / "model"),
    ):
        pass

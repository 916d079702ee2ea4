import os

import pytest

from keras_led.files.atomic import staged_directory
from keras_led.files.atomic import staged_file
from keras_led.files.atomic import write_text


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
    for names in (["a", "old"], ["a", "sub/new"]):
        with staged_directory(
            target, last=["a"], obsolete=lambda new: ["old"]
        ) as staging:
            for name in names:
                (staging / name).parent.mkdir(exist_ok=True)
                (staging / name).write_text(name)
    assert sorted(os.listdir(target)) == ["a", "sub"]
    assert (target / "sub" / "new").read_text() == "sub/new"


def test_index_moves_after_the_files_it_names(tmp_path, monkeypatch):
    moved = []
    replace = os.replace

    def record(source, destination):
        moved.append(os.path.basename(destination))
        replace(source, destination)

    monkeypatch.setattr(os, "replace", record)
    target = tmp_path / "model"
    target.mkdir()
    with staged_directory(target, last=["a.index", "a.first"]) as staging:
        for name in ("a.first", "a.index", "b"):
            (staging / name).write_text("")
    assert moved == ["b", "a.index", "a.first"]


def test_file_in_place_of_a_directory_is_an_error(tmp_path):
    (tmp_path / "model").write_text("")
    with (
        pytest.raises(NotADirectoryError, match="directory=.*model"),
        staged_directory(tmp_path / "model"),
    ):
        pass

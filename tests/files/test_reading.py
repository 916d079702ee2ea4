import errno
import json
import os
import struct
import zlib

import pytest

from keras_led.files.reading import damaged
from keras_led.files.reading import reading


def too_deep():
    json.loads("[" * 100_000)


def too_large():
    raise MemoryError


@pytest.mark.parametrize(
    ("fail", "reason"),
    [
        (lambda: int("x"), "invalid literal"),
        (lambda: len(3), "has no len"),
        (lambda: {}["rows"], "KeyError: 'rows'"),
        (lambda: [][1], "IndexError: "),
        (lambda: "".nothing, "AttributeError: "),
        (lambda: 10.0**999, "OverflowError: "),
        (lambda: 1 // 0, "ZeroDivisionError: "),
        (lambda: b"\xff".decode(), "codec can't decode"),
        (lambda: struct.unpack("<I", b"1"), "unpack requires"),
        (lambda: zlib.decompress(b"1"), "error: "),
        (too_deep, "nested too deeply"),
        (too_large, "more memory than there is"),
    ],
)
def test_errors_of_content_name_the_file(tmp_path, fail, reason):
    path = tmp_path / "a.bin"
    rule = f"{path} must hold rows: .*{reason}"
    with pytest.raises(ValueError, match=rule), reading(path, "hold rows"):
        fail()


def test_error_that_names_the_file_stays(tmp_path):
    inner = ValueError(f"{tmp_path} must be odd.")
    with pytest.raises(ValueError, match="odd") as error, reading(tmp_path, ""):
        raise inner
    assert error.value is inner


def test_errors_of_the_system_are_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError), reading(tmp_path / "a", "be"):
        open(tmp_path / "a")
    with pytest.raises(OSError, match="descriptors?|open files") as error:
        with reading(tmp_path, "be"):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    assert error.value.errno == errno.EMFILE
    with pytest.raises(ValueError, match="must be whole: not a gzip"):
        with reading("x.gz", "be whole"):
            raise OSError("not a gzip file")


def test_lack_of_descriptors_is_told_from_damage(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("x")
    no_descriptor = OSError(errno.EMFILE, os.strerror(errno.EMFILE), path)

    def open_none(*arguments):
        raise no_descriptor

    monkeypatch.setattr(os, "open", open_none)
    # What safetensors says of it.
    error = damaged(path, "be whole", FileNotFoundError("No such file"))
    assert error is no_descriptor


def test_long_values_are_cut_out_of_a_message(tmp_path):
    text = str(damaged("a", "be whole", ValueError("x" * 10**6 + " last")))
    assert len(text) < 800
    assert "last" in text

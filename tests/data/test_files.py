"""The text of files, whatever system wrote them."""

import gzip
import io
import sys

import pytest

from keras_led.data.files import read_lines
from keras_led.data.files import read_text

TEXT = "Grüße\n\nzweite Zeile\u2028mit Trenner\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode("utf-8-sig"),
    ],
)
def test_mark_and_line_ends_are_no_part_of_the_text(tmp_path, content):
    plain, packed = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    assert read_text(plain) == read_text(packed) == TEXT


def test_a_mark_inside_is_part_of_the_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("a\ufeffb".encode())
    assert read_text(path) == "a\ufeffb"


def test_standard_input_is_read_alike(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfone\r\ntwo"))
    monkeypatch.setattr(sys, "stdin", stream)
    assert read_text("-") == "one\ntwo"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (TEXT.encode("utf-16"), "which is UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "iconv -f UTF-16 -t UTF-8"),
        (TEXT.encode("utf-32"), "which is UTF-32"),
        ("plain".encode("utf-16-le"), "UTF-16 without a mark"),
        ("plain".encode("utf-16-be"), "UTF-16 without a mark"),
        (b"a table\0of bytes", "NUL"),
        (b"caf\xe9", "whose byte 3 is not"),
    ],
)
def test_other_encodings_are_named(tmp_path, content, why):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must be UTF-8 text") as error:
        read_text(path)
    assert str(path) in str(error.value)
    assert why in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le"])
def test_lines_of_other_encodings_are_refused(tmp_path, encoding):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"document": "d"}\n'.encode(encoding))
    with pytest.raises(ValueError, match=r"a\.jsonl.*which is UTF-"):
        list(read_lines(path))


def test_a_damaged_compressed_text_is_named(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 50)[:-9])
    with pytest.raises(ValueError, match=r"a\.txt\.gz, which is damaged"):
        read_text(path)

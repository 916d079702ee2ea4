"""Files of documents: which ones a name stands for, and their lines."""

import codecs
import glob
import gzip
import shlex
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from typing import BinaryIO

from keras_led.typing import StrPath

STANDARD_INPUT = "-"

# How files in other encodings of Unicode begin, the longer marks first.
_OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

# How files begin that hold text, but not as text: what they are, and the
# command that takes the text out.
_OTHER_FORMATS = {
    b"%PDF-": ("a PDF", "pdftotext {file} document.txt"),
    b"{\\rtf": ("rich text", "pandoc -f rtf -t plain {file} -o document.txt"),
    b"PK\x03\x04": (
        "a .docx, an .odt or another archive",
        "pandoc -t plain {file} -o document.txt",
    ),
    b"\xd0\xcf\x11\xe0": (
        "an old Office document",
        "soffice --convert-to txt:Text {file}",
    ),
}


def expand(name: StrPath) -> list[str]:
    """Files that a name or glob pattern stands for.

    Args:
        name: str or path; `-` is standard input.

    Returns:
        Sorted list of str. A name without a pattern is returned as it is,
        whether the file is there or not.

    Raises:
        ValueError: If a pattern matches no file.
    """
    name = str(name)
    if (
        name == STANDARD_INPUT
        or not glob.has_magic(name)
        or Path(name).exists()
    ):
        return [name]
    found = [f for f in glob.glob(name, recursive=True) if Path(f).is_file()]
    if not found:
        raise ValueError(
            f"`FILE` must match a file. Received: FILE={name!r}, a pattern "
            "that matches none."
        )
    return sorted(found)


def extension(file: StrPath) -> str:
    """The last extension in lower case, without `.gz`."""
    path = Path(file)
    if path.suffix.lower() == ".gz":
        path = path.with_suffix("")
    return path.suffix.lower()


def read_lines(file: StrPath) -> Iterator[tuple[int, bytes]]:
    """Yields the lines of a file, which may be compressed with gzip.

    Lines end at `\\n` alone: a JSON text may hold other line ends of Unicode.

    Args:
        file: str or path; `-` is standard input.

    Yields:
        Pairs of the line's number, from 1, and its bytes. The byte order
        mark that may start a UTF-8 file is left out.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is compressed and damaged, or in another encoding of
            Unicode than UTF-8.
    """
    with _open(str(file)) as lines:
        for number, line in enumerate(lines, start=1):
            yield number, _without_mark(line, file) if number == 1 else line


def read_text(file: StrPath) -> str:
    """Reads the text of a file, which may be compressed with gzip.

    Args:
        file: str or path; `-` is standard input.

    Returns:
        str with `\\n` at the end of each line, whatever system wrote the file,
        and without a byte order mark.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is compressed and damaged, or not UTF-8 text.
    """
    with _open(str(file)) as content:
        data = _without_mark(content.read(), file)
    for start, (kind, command) in _OTHER_FORMATS.items():
        if data.startswith(start):
            command = command.format(file=shlex.quote(str(file)))
            raise _not_utf8(file, f"which is {kind}. Convert it: {command}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        why = f"whose byte {error.start} is not. Convert it, for example with"
        raise _not_utf8(file, f"{why} iconv.") from error
    if "\0" in text:
        raise _not_utf8(file, "which holds NUL characters: it is no text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_mark(start: bytes, file: StrPath) -> bytes:
    """Takes the byte order mark of UTF-8 away; refuses other encodings."""
    for mark, encoding in _OTHER_MARKS.items():
        if start.startswith(mark):
            convert = f"iconv -f {encoding} -t UTF-8"
            raise _not_utf8(file, f"which is {encoding}. Convert it: {convert}")
    if b"\0" in start[:4]:
        raise _not_utf8(file, "which is UTF-16 without a mark, or no text.")
    return start.removeprefix(codecs.BOM_UTF8)


def _not_utf8(file, why):
    received = f"Received: FILE={str(file)!r}, {why}"
    return ValueError(f"`FILE` must be UTF-8 text. {received}")


@contextmanager
def _open(file: str) -> Iterator[BinaryIO]:
    if file == STANDARD_INPUT:
        opened: Any = nullcontext(sys.stdin.buffer)
    elif file.lower().endswith(".gz"):
        opened = gzip.open(file, "rb")
    else:
        opened = open(file, "rb")
    with opened as content:
        try:
            yield content
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(
                "A compressed file must be whole. "
                f"Received: {file}, which is damaged: {error}"
            ) from error

"""Files of documents: which ones a name stands for, and their lines."""

import glob
import gzip
import sys
import zlib
from contextlib import contextmanager
from contextlib import nullcontext
from pathlib import Path

STANDARD_INPUT = "-"


def expand(name):
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


def extension(file):
    """The last extension in lower case, without `.gz`."""
    path = Path(file)
    if path.suffix.lower() == ".gz":
        path = path.with_suffix("")
    return path.suffix.lower()


def read_lines(file):
    """Yields the lines of a file, which may be compressed with gzip.

    Lines end at `\\n` alone: a JSON text may hold other line ends of Unicode.

    Args:
        file: str or path; `-` is standard input.

    Yields:
        Pairs of the line's number, from 1, and its bytes. The byte order
        mark that may start a UTF-8 file is left out.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is compressed and damaged.
    """
    with _open(str(file)) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                yield number, line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(
                "A compressed file must be whole. "
                f"Received: {file}, which is damaged: {error}"
            ) from error


@contextmanager
def _open(file):
    if file == STANDARD_INPUT:
        opened = nullcontext(sys.stdin.buffer)
    elif file.lower().endswith(".gz"):
        opened = gzip.open(file, "rb")
    else:
        opened = open(file, "rb")
    with opened as lines:
        yield lines

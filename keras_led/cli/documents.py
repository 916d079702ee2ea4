"""Documents that a command reads: text files, JSON lines, standard input."""

import glob
import json
import sys
from pathlib import Path
from typing import NamedTuple

JSON_LINES = (".jsonl", ".ndjson")


class Document(NamedTuple):
    """A text and where it came from.

    Attributes:
        text: str.
        file: str, the file's name; `-` for standard input.
        line: int from 1, its line in a file of JSON lines, else `None`.
        id: the `id` of its JSON object, or `None`.
    """

    text: str
    file: str
    line: int | None = None
    id: str | int | None = None

    def label(self):
        """Names the document in a message: `FILE` or `FILE:LINE`."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def origin(self):
        """The fields, apart from the text, that are known."""
        fields = {"file": self.file, "line": self.line, "id": self.id}
        return {k: v for k, v in fields.items() if v is not None}


def read_documents(names, field="document", jsonl=False):
    """Reads all documents, so that a bad one is found before long work.

    Args:
        names: list of str: paths, glob patterns, `-` for standard input.
            Files that end in `.jsonl` or `.ndjson` hold one JSON object a
            line, the others one text.
        field: str, key of the text in a JSON object.
        jsonl: bool, read every file, and standard input, as JSON lines.

    Returns:
        List of `Document`, in the order of `names`.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If a pattern matches nothing, or a text is not UTF-8,
            empty, or not where JSON should have it.
    """
    documents = []
    for name in names:
        for file in _expand(name):
            if jsonl or file.endswith(JSON_LINES):
                documents += _read_json_lines(file, field)
            else:
                text = _decode(file, _read(file))
                documents.append(_checked(Document(text, file)))
    return documents


def _expand(name):
    """Files that a name or glob pattern stands for, sorted."""
    if name == "-" or not glob.has_magic(name) or Path(name).exists():
        return [name]
    found = [f for f in glob.glob(name, recursive=True) if Path(f).is_file()]
    if not found:
        raise ValueError(
            f"`FILE` must match a file. Received: FILE={name!r}, a pattern "
            "that matches none."
        )
    return sorted(found)


def _read(file):
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _decode(file, data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`FILE` must be UTF-8 text. Received: FILE={file!r}, whose byte "
            f"{error.start} is not. Convert it, for example with iconv."
        ) from error


def _read_json_lines(file, field):
    documents = []
    # Not `splitlines`: JSON text may hold U+2028, which is no end of line.
    lines = _decode(file, _read(file)).split("\n")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            record = _parse(file, number, line, field)
            document = Document(record[field], file, number, record.get("id"))
            documents.append(_checked(document))
    if not documents:
        raise ValueError(
            "`FILE` must hold at least one JSON object. "
            f"Received: FILE={file!r}, which is empty."
        )
    return documents


def _parse(file, number, line, field):
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"Each line must be a JSON object. Received: {file}:{number}, "
            f"where JSON ends at column {error.colno}: {error.msg}."
        ) from error
    if not isinstance(record, dict):
        raise ValueError(
            f"Each line must be a JSON object. Received: {file}:{number}, "
            f"a {type(record).__name__}."
        )
    if not isinstance(record.get(field), str):
        raise ValueError(
            f"Each JSON object must have a string under `{field}`. Received: "
            f"{file}:{number}, with the keys {sorted(record)}. Name the key "
            "of the text with --field."
        )
    return record


def _checked(document):
    if not document.text.strip():
        raise ValueError(
            "`FILE` must hold some text. "
            f"Received: FILE={document.label()!r}, which is empty."
        )
    return document

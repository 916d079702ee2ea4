"""Documents that a command reads: text files, JSON lines, standard input."""

import sys
from pathlib import Path
from typing import NamedTuple

from keras_led.data.files import STANDARD_INPUT
from keras_led.data.files import expand
from keras_led.data.files import extension
from keras_led.data.json_lines import EXTENSIONS
from keras_led.data.json_lines import read_json_lines
from keras_led.data.rows import RowProblem
from keras_led.data.rows import text_of


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
            Files that end in `.jsonl` or `.ndjson`, or one of them and
            `.gz`, hold one JSON object a line, the others one text.
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
        for file in expand(name):
            if jsonl or extension(file) in EXTENSIONS:
                documents += _read_json_lines(file, field)
            else:
                documents.append(Document(_read_text(file), file))
    return documents


def _read_text(file):
    if file == STANDARD_INPUT:
        data = sys.stdin.buffer.read()
    else:
        data = Path(file).read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`FILE` must be UTF-8 text. Received: FILE={file!r}, whose byte "
            f"{error.start} is not. Convert it, for example with iconv."
        ) from error
    if not text.strip():
        raise ValueError(
            "`FILE` must hold some text. "
            f"Received: FILE={file!r}, which is empty."
        )
    return text


def _read_json_lines(file, field):
    documents = []
    for row in read_json_lines(file):
        try:
            if isinstance(row.record, RowProblem):
                raise row.record
            text = text_of(row.record, field)
        except RowProblem as problem:
            raise ValueError(
                "Each line must be a JSON object with a string under "
                f"`{field}`, which must hold some text. Received: "
                f"{row.label()}, {problem.args[0]}. Name the key of the text "
                "with --field."
            ) from problem
        documents.append(Document(text, file, row.line, row.record.get("id")))
    if not documents:
        raise ValueError(
            "`FILE` must hold at least one JSON object. "
            f"Received: FILE={file!r}, which is empty."
        )
    return documents

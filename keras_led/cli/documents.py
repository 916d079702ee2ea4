"""Documents that a command reads: texts, JSON lines, CSV, standard input."""

from typing import Any
from typing import NamedTuple

from keras_led.data.files import STANDARD_INPUT
from keras_led.data.files import expand
from keras_led.data.files import read_text
from keras_led.data.json_lines import parse_object
from keras_led.data.json_lines import read_json_lines
from keras_led.data.rows import RowProblem
from keras_led.data.rows import text_of
from keras_led.data.sources import row_reader


class Document(NamedTuple):
    """A text and where it came from.

    Attributes:
        text: str.
        file: str, the file's name; `-` for standard input.
        line: int from 1, its line in a file of rows, else `None`.
        id: the `id` of its row, or `None`.
    """

    text: str
    file: str
    line: int | None = None
    id: str | int | None = None

    def label(self) -> str:
        """Names the document in a message: `FILE` or `FILE:LINE`."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def origin(self) -> dict[str, Any]:
        """The fields, apart from the text, that are known."""
        fields = {"file": self.file, "line": self.line, "id": self.id}
        return {k: v for k, v in fields.items() if v is not None}


def read_documents(
    names: list[str], field: str = "document", jsonl: bool = False
) -> list[Document]:
    """Reads all documents, so that a bad one is found before long work.

    Args:
        names: list of str: paths, glob patterns, `-` for standard input.
            Files that end in `.jsonl`, `.ndjson`, `.csv` or `.tsv`, or one of
            them and `.gz`, hold one row a document, the others one text.
        field: str, key of the text in a JSON object, or column of a CSV file.
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
            reader = read_json_lines if jsonl else _row_reader(file)
            if reader is None:
                documents.append(Document(_read_text(file), file))
            else:
                documents += _read_rows(reader, file, field)
    return documents


def _row_reader(file):
    return None if file == STANDARD_INPUT else row_reader(file)


def _read_text(file):
    text = read_text(file)
    if not text.strip():
        raise ValueError(
            "`FILE` must hold some text. "
            f"Received: FILE={file!r}, which is empty."
        )
    if file == STANDARD_INPUT and _is_json(text.lstrip().split("\n", 1)[0]):
        raise ValueError(
            "`FILE` must hold text, or JSON lines with --jsonl. Received: "
            f"FILE={file!r}, which begins with a JSON object. Add --jsonl."
        )
    return text


def _is_json(line):
    try:
        parse_object(line.encode("utf-8"))
    except RowProblem:
        return False
    return True


def _read_rows(reader, file, field):
    documents = []
    for row in reader(file):
        try:
            if isinstance(row.record, RowProblem):
                raise row.record
            text = text_of(row.record, field)
        except RowProblem as problem:
            raise ValueError(
                f"Each row must have a string under `{field}`, which must hold "
                f"some text. Received: {row.label()}, {problem.args[0]}. Name "
                "the field of the text with --field."
            ) from problem
        documents.append(Document(text, file, row.line, row.record.get("id")))
    if not documents:
        raise ValueError(
            "`FILE` must hold at least one JSON object, or row of CSV. "
            f"Received: FILE={file!r}, which is empty."
        )
    return documents

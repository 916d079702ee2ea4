"""JSON lines: one JSON object a line."""

import json
from collections.abc import Iterator
from typing import Any

from keras_led.data.files import read_lines
from keras_led.data.rows import Row
from keras_led.data.rows import RowProblem
from keras_led.typing import StrPath

EXTENSIONS = (".jsonl", ".ndjson")


def read_json_lines(file: StrPath) -> Iterator[Row]:
    """Yields the rows of a file of JSON lines; empty lines are left out.

    Args:
        file: str or path, also of a `.gz`; `-` is standard input.

    Yields:
        `Row`. That of a line that cannot be read holds a `RowProblem`.
    """
    for number, line in read_lines(file):
        if line.strip():
            try:
                record = parse_object(line)
            except RowProblem as problem:
                record = problem
            yield Row(record, str(file), number)


def parse_object(line: bytes) -> dict[str, Any]:
    """Reads one line.

    Args:
        line: bytes.

    Returns:
        dict.

    Raises:
        RowProblem: If it is not UTF-8, not JSON or no object.
    """
    try:
        record = json.loads(line.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError as error:
        raise RowProblem(
            f"whose byte {error.start} is not UTF-8", "not UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        raise RowProblem(
            f"where JSON ends at column {error.colno}: {error.msg}",
            "broken JSON",
        ) from error
    except (ValueError, RecursionError) as error:
        # A number of too many digits, or too many brackets.
        raise RowProblem(
            f"which JSON cannot read: {error}", "broken JSON"
        ) from error
    if not isinstance(record, dict):
        raise RowProblem(
            f"a {type(record).__name__}, not an object", "no JSON object"
        )
    return record

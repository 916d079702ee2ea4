"""Where rows come from: files, objects in memory, other libraries."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_led.data import csv_rows
from keras_led.data import json_lines
from keras_led.data.files import STANDARD_INPUT
from keras_led.data.files import expand
from keras_led.data.files import extension
from keras_led.data.rows import Row
from keras_led.data.rows import RowProblem
from keras_led.typing import StrPath


def source_files(source: Any) -> list[str] | None:
    """The files that a source names; `None` if it holds the rows itself.

    Args:
        source: str, path, or list of them; patterns such as `*.jsonl` too.

    Returns:
        List of str, or `None`.
    """
    if isinstance(source, str | Path):
        source = [source]
    if not isinstance(source, list | tuple) or not source:
        return None
    if not all(isinstance(name, str | Path) for name in source):
        return None
    return [file for name in source for file in expand(name)]


def read_rows(
    source: Any, pair_fields: Sequence[str] = ("document", "summary")
) -> Iterator[Row]:
    """Yields the rows of a corpus, one at a time.

    Args:
        source: what holds the rows:
            - str, path, or list of them: `.jsonl`, `.ndjson`, `.csv`, `.tsv`,
              each also with `.gz`; patterns; `-` for JSON lines from standard
              input;
            - an iterable of dicts, such as a `datasets.Dataset`;
            - a `pandas.DataFrame` with the fields as columns;
            - an iterable of tuples, such as (document, summary).
        pair_fields: tuple of str, the fields of the values of a tuple.

    Yields:
        `Row`.

    Raises:
        OSError: If a file cannot be read.
        TypeError: If `source` is nothing of the above.
        ValueError: If a file has another extension, or all are empty.
    """
    files = source_files(source)
    if files is not None:
        empty = True
        for file in files:
            for row in _reader(file)(file):
                empty = False
                yield row
        if empty:
            raise ValueError(
                "`rows` must hold at least one row. "
                f"Received: {', '.join(files)}, with none."
            )
        return
    if isinstance(source, dict) or not hasattr(source, "__iter__"):
        hint = ""
        if isinstance(source, dict):
            hint = f" Choose one of {sorted(map(str, source))}."
        raise TypeError(
            "`rows` must be files, or an iterable of dicts or tuples. "
            f"Received: a {type(source).__name__}.{hint}"
        )
    for index, item in enumerate(_items(source)):
        yield Row(_record(item, pair_fields), "rows", index)


def row_reader(file: StrPath) -> Callable[[StrPath], Iterator[Row]] | None:
    """Finds the reader of a file of rows by its ending.

    Args:
        file: str or path.

    Returns:
        Callable that takes the file and yields its `Row`s; `None` where the
        ending is none of a file of rows.

    Raises:
        ValueError: If it is `.json`, which says nothing about rows.
    """
    kind = extension(file)
    if kind in json_lines.EXTENSIONS:
        return json_lines.read_json_lines
    if kind in csv_rows.EXTENSIONS:
        return csv_rows.read_csv
    if kind == ".json":
        raise _no_rows(
            f"{file}. Name it .jsonl if each of its lines is an object; cut an "
            "array to lines, for example with `jq -c '.[]' FILE > FILE.jsonl`."
        )
    return None


def _reader(file):
    if file == STANDARD_INPUT:
        return json_lines.read_json_lines
    reader = row_reader(file)
    if reader is None:
        raise _no_rows(f"{file}.")
    return reader


def _no_rows(received):
    known = (*json_lines.EXTENSIONS, *csv_rows.EXTENSIONS)
    return ValueError(
        f"A file of rows must end in one of {known}, or one of them and .gz. "
        f"Received: {received}"
    )


def _items(source):
    """A data frame iterates over the names of its columns, not its rows."""
    if not hasattr(source, "itertuples"):
        return source
    columns = [str(name) for name in source.columns]
    return (
        dict(zip(columns, values, strict=True))
        for values in source.itertuples(index=False, name=None)
    )


def _record(item, pair_fields):
    if isinstance(item, dict):
        return item
    if isinstance(item, list | tuple) and len(item) == len(pair_fields):
        return dict(zip(pair_fields, item, strict=True))
    return RowProblem(
        f"a {type(item).__name__}, neither a dict nor a tuple of "
        f"{len(pair_fields)} values",
        "neither a dict nor a tuple",
    )

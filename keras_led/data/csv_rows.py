"""Comma- and tab-separated values, with a header line."""

import csv
from collections import Counter
from collections.abc import Iterator

from keras_led.data.files import extension
from keras_led.data.files import read_lines
from keras_led.data.rows import Row
from keras_led.data.rows import RowProblem
from keras_led.files.reading import shortened
from keras_led.typing import StrPath

EXTENSIONS = (".csv", ".tsv")
# The standard library refuses fields of more than 131,072 characters, which
# long documents have. 2**31 - 1 is what a C long holds everywhere.
LONGEST_FIELD = 2**31 - 1


def read_csv(file: StrPath) -> Iterator[Row]:
    """Yields the rows of a CSV file; `.tsv` is separated by tabs.

    Args:
        file: str or path, also of a `.gz`.

    Yields:
        `Row`, with the line where the row begins. That of a row that cannot
        be read holds a `RowProblem`.

    Raises:
        ValueError: If the header cannot be read.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_FIELD))
    delimiter = "\t" if extension(file) == ".tsv" else ","
    broken = {}
    reader = csv.reader(
        _decoded(file, broken), delimiter=delimiter, strict=True
    )
    header = _header(reader, broken, file)
    while True:
        start = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = RowProblem(f"broken CSV: {error}", "broken CSV")
            yield Row(problem, str(file), start)
            continue
        if not values:
            continue
        if broken:
            record = next(iter(broken.values()))
            broken.clear()
        elif len(values) != len(header):
            record = RowProblem(
                f"{len(values)} values for {len(header)} columns",
                "a wrong number of values",
            )
        else:
            record = dict(zip(header, values, strict=True))
        yield Row(record, str(file), start)


def _header(reader, broken, file):
    """Reads the names of the columns."""
    why = "where there is none"
    try:
        header = next(reader, None)
    except csv.Error as error:
        header, why = None, f"where it is broken CSV: {error}"
    if header is None or broken:
        raise ValueError(
            "A CSV file must start with a line of UTF-8 that names its "
            f"columns, its header. Received: {file}, {why}. Check its quotes "
            "and its encoding."
        )
    twice = [name for name, n in Counter(header).items() if name and n > 1]
    if twice:
        raise ValueError(
            "The header of a CSV file must name each column once. "
            f"Received: {file}, with {shortened(str(twice))} several times. "
            "Rename them."
        )
    return header


def _decoded(file, broken):
    """Yields lines of text; notes in `broken` which are not UTF-8."""
    for number, line in read_lines(file):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            broken[number] = RowProblem(
                f"whose byte {error.start} is not UTF-8", "not UTF-8"
            )
            yield line.decode("utf-8", errors="replace")

"""Texts of a corpus as they are, for scores and vocabularies."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_led.data.rows import BadRows
from keras_led.data.rows import RowProblem
from keras_led.data.rows import text_of
from keras_led.data.sources import read_rows

if TYPE_CHECKING:
    from keras_led.data.rows import Row


def read_texts(
    source: Any,
    fields: Sequence[str],
    bad_rows: str = "stop",
    limit: int | None = None,
) -> "Iterator[tuple[Row, tuple[str, ...]]]":
    """Yields the texts of each row.

    Args:
        source: see `read_rows`.
        fields: tuple of str.
        bad_rows: str, "stop" or "skip"; see `BadRows`.
        limit: int, most good rows, or `None` for all.

    Yields:
        Pairs of the `Row` and a tuple of str, one for each field.

    Raises:
        ValueError: After the last row, if rows cannot be used.
    """
    bad, total, good = BadRows(bad_rows), 0, 0
    for row in read_rows(source, fields):
        total += 1
        try:
            if isinstance(row.record, RowProblem):
                raise row.record
            texts = tuple(text_of(row.record, field) for field in fields)
        except RowProblem as problem:
            bad.add(row, problem)
            continue
        yield row, texts
        good += 1
        if good == limit:
            break
    bad.finish(total)

"""Rows of a corpus, and what happens to those that cannot be used."""

import warnings
from collections import Counter
from typing import Any
from typing import NamedTuple

from keras_led.files.reading import shortened

SHOWN_BAD_ROWS = 5
POLICIES = ("stop", "skip")


class RowProblem(ValueError):
    """What is wrong with one row; the message says it in a few words."""


class Row(NamedTuple):
    """A record and where it came from.

    Attributes:
        record: dict of fields, or the `RowProblem` of a row without them.
        file: str, the file's name; `rows` for objects in memory.
        line: int: the line in the file, from 1; in memory the index, from 0.
    """

    record: Any
    file: str
    line: int

    def label(self) -> str:
        """Names the row in a message."""
        if self.file == "rows":
            return f"rows[{self.line}]"
        return f"{self.file}:{self.line}"


class BadRows:
    """Counts rows that cannot be used, and stops the run or skips them.

    Args:
        policy: str: "stop" lets `finish` raise, "skip" lets it warn.

    Attributes:
        count: int, bad rows so far.
        shown: list of str, the first of them: where, and what is wrong.
        reasons: `collections.Counter` of the problems.
    """

    count: int
    shown: list[str]
    reasons: Counter[str]

    def __init__(self, policy: str = "stop"):
        if policy not in POLICIES:
            raise ValueError(
                f"`bad_rows` must be one of {POLICIES}. "
                f"Received: bad_rows={policy!r}."
            )
        self.policy = policy
        self.count = 0
        self.shown = []
        self.reasons = Counter()

    def add(self, row: Row, problem: RowProblem) -> None:
        """Counts a bad row.

        Args:
            row: `Row`.
            problem: `RowProblem`.
        """
        self.count += 1
        # It may quote keys or values as long as the file.
        self.reasons[shortened(problem.args[-1])] += 1
        if len(self.shown) < SHOWN_BAD_ROWS:
            self.shown.append(f"{row.label()}, {shortened(problem.args[0])}")

    def finish(self, total: int) -> None:
        """Stops or warns, where there were bad rows.

        Args:
            total: int, rows read, good and bad.

        Raises:
            ValueError: With the policy "stop", if there were any; always, if
                no good row is left.
        """
        if total == 0:
            raise ValueError(
                "`rows` must hold at least one row. Received: none."
            )
        if self.count and (self.policy == "stop" or self.count == total):
            raise ValueError(
                f"Each row must be usable. Received: {self.summary(total)}. "
                "Repair them, or leave them out: "
                "`bad_rows='skip'`, or --skip-bad-rows."
            )
        if self.count:
            warnings.warn(
                f"Skipped {self.summary(total)}.", UserWarning, stacklevel=3
            )

    def summary(self, total: int) -> str:
        """str, such as `2 bad rows of 60: a.jsonl:7, no `summary`; ...`."""
        more = self.count - len(self.shown)
        text = "; ".join(self.shown) + (f"; and {more} more" if more else "")
        return f"{self.count} bad rows of {total}: {text}"


def text_of(record: dict[str, Any], field: str) -> str:
    """The text under `field`.

    Args:
        record: dict.
        field: str.

    Returns:
        str, not empty.

    Raises:
        RowProblem: If there is none, or it is empty or not valid Unicode.
    """
    value = record.get(field)
    if not isinstance(value, str):
        found = f"a {type(value).__name__}" if field in record else "nothing"
        keys = sorted(map(str, record))
        raise RowProblem(
            f"{found} under `{field}`, with the keys {keys}",
            f"no text under `{field}`",
        )
    if not value.strip():
        raise RowProblem(f"an empty text under `{field}`")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RowProblem(
            f"a lone surrogate at character {error.start} of `{field}`",
            f"a lone surrogate in `{field}`",
        ) from error
    return value

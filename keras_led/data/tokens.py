"""Examples as flat arrays: in memory, or mapped from files of a cache."""

import array
import hashlib
import json
import os
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.data.rows import BadRows
from keras_led.data.rows import RowProblem
from keras_led.data.tasks import Example
from keras_led.files.atomic import replaced_directory
from keras_led.files.reading import reading
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.data.rows import Row
    from keras_led.data.tasks import Task

# Texts that the tokenizer gets at once, to spread over the cores. Some MB.
CHUNK = 256
COLUMNS = ("sources", "targets", "lengths")
FACTS = "facts.json"
FORMAT = 2
BLOCK = 1 << 20


class TokenStore:
    """Examples whose tokens lie one after the other in one array.

    Args:
        sources: int32 array, the tokens of all documents.
        targets: int32 array, those of all targets.
        lengths: int32 array of shape `(rows, 4)`: tokens of the document, of
            the target, global tokens, and 1 where the document was cut.
        facts: dict, what is known beside: `rows` read, `bad` rows, how they
            are `shown`, the `digests` of the three arrays, and the `digest`
            of all numbers.
    """

    lengths: np.ndarray

    def __init__(
        self,
        sources: np.ndarray,
        targets: np.ndarray,
        lengths: np.ndarray,
        facts: dict[str, Any],
    ):
        self.sources = sources
        self.targets = targets
        self.lengths = np.asarray(lengths).reshape(-1, 4)
        self.facts = facts
        ends = np.cumsum(self.lengths[:, :2], axis=0, dtype="int64")
        self._starts = ends - self.lengths[:, :2]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Example:
        source, target, global_tokens, cut = self.lengths[index].tolist()
        first, second = self._starts[index].tolist()
        return Example(
            self.sources[first : first + source],
            self.targets[second : second + target],
            global_tokens,
            bool(cut),
        )


def encode_rows(
    task: "Task", rows: "Iterable[Row]", bad: BadRows, counts: dict[str, int]
) -> Iterator[Example]:
    """Yields the examples of rows, tokenized in chunks.

    Args:
        task: `Task`.
        rows: iterable of `Row`.
        bad: `BadRows`, gets the rows that cannot be used.
        counts: dict; `counts["rows"]` becomes the number of rows read.

    Yields:
        `Example`, in the order of the rows.
    """
    chunk = []
    for row in rows:
        counts["rows"] = counts.get("rows", 0) + 1
        try:
            if isinstance(row.record, RowProblem):
                raise row.record
            chunk.append((row, task.read(row.record)))
        except RowProblem as problem:
            bad.add(row, problem)
        if len(chunk) == CHUNK:
            yield from _encode_chunk(task, chunk, bad)
            chunk = []
    yield from _encode_chunk(task, chunk, bad)


def _encode_chunk(task, chunk, bad):
    if not chunk:
        return
    examples = task.encode([values for _, values in chunk])
    for (row, _), example in zip(chunk, examples, strict=True):
        if isinstance(example, RowProblem):
            bad.add(row, example)
        else:
            yield example


def store_in_memory(
    task: "Task", rows: "Iterable[Row]", policy: str = "stop"
) -> TokenStore:
    """Tokenizes all rows into arrays in memory.

    Args:
        task: `Task`.
        rows: iterable of `Row`.
        policy: str, see `BadRows`.

    Returns:
        `TokenStore`.
    """
    columns = {name: array.array("i") for name in COLUMNS}
    facts = _fill(columns, task, rows, policy, lambda: None)
    arrays = [np.frombuffer(columns[name], "int32") for name in COLUMNS]
    return TokenStore(*arrays, facts)  # pyright: ignore[reportCallIssue]


def store_on_disk(
    task: "Task",
    rows: "Iterable[Row]",
    directory: StrPath,
    policy: str = "stop",
) -> TokenStore | None:
    """Tokenizes all rows into files; no more than a chunk is in memory.

    Args:
        task: `Task`.
        rows: iterable of `Row`.
        directory: path; appears once all files are written.
        policy: str, see `BadRows`.

    Returns:
        `TokenStore` whose arrays are mapped from the files.
    """
    with replaced_directory(directory) as staging:
        files = {name: open(staging / name, "wb") for name in COLUMNS}
        columns = {name: array.array("i") for name in COLUMNS}

        def flush():
            for name, values in columns.items():
                values.tofile(files[name])
                del values[:]

        try:
            facts = _fill(columns, task, rows, policy, flush)
        finally:
            for file in files.values():
                file.close()
        content = {"facts": facts, "digest": _digest(facts)}
        (staging / FACTS).write_text(json.dumps(content), "utf-8")
    return open_store(directory)


def open_store(directory: StrPath) -> TokenStore | None:
    """Maps a store from its files, once each agrees with its digest.

    Args:
        directory: path.

    Returns:
        `TokenStore`, or `None` if there is none, or a damaged one.

    Raises:
        OSError: If a file that is there cannot be read.
    """
    directory = Path(directory)
    try:
        with reading(directory, "hold a whole cache"):
            content = json.loads((directory / FACTS).read_text("utf-8"))
            facts = content["facts"]
            if content["digest"] != _digest(facts):
                raise ValueError(f"{FACTS} has changed")
            arrays = [
                _map(directory / name, size, digest)
                for name, size, digest in zip(
                    COLUMNS, facts["sizes"], facts["digests"], strict=True
                )
            ]
            return TokenStore(*arrays, facts)  # pyright: ignore[reportCallIssue]
    except (
        ValueError,
        FileNotFoundError,
        IsADirectoryError,
        NotADirectoryError,
    ):
        return None


def _map(path, size, digest):
    """Maps `size` numbers of a file that has this digest."""
    # Neither a pipe nor a device, which have no end.
    if not path.is_file():
        raise FileNotFoundError(path)
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size != 4 * size:
            raise ValueError(f"{path.name} has another size")
        found = _hasher()
        # Read, not mapped: mapped pages count as memory of the process.
        while block := file.read(BLOCK):
            found.update(block)
        if found.hexdigest() != digest:
            raise ValueError(f"{path.name} has changed")
        if size == 0:
            return np.zeros(0, "int32")
        return np.memmap(file, "int32", mode="r")


def _hasher():
    return hashlib.blake2b(digest_size=16)


def _digest(content):
    """Digest of plain JSON values."""
    hasher = _hasher()
    hasher.update(json.dumps(content, sort_keys=True).encode())
    return hasher.hexdigest()


def _fill(columns, task, rows, policy, flush):
    """Appends all examples to the columns; returns the facts."""
    bad, counts = BadRows(policy), {}
    hashers = [_hasher() for _ in COLUMNS]
    sizes = [0, 0, 0]
    for number, example in enumerate(encode_rows(task, rows, bad, counts)):
        values = (
            array.array("i", example.source),
            array.array("i", example.target),
            array.array(
                "i",
                [
                    len(example.source),
                    len(example.target),
                    example.global_tokens,
                    example.cut,
                ],
            ),
        )
        for place, (name, more) in enumerate(zip(COLUMNS, values, strict=True)):
            columns[name].extend(more)
            hashers[place].update(more)
            sizes[place] += len(more)
        if number % CHUNK == CHUNK - 1:
            flush()
    flush()
    total = counts.get("rows", 0)
    bad.finish(total)
    digests = [hasher.hexdigest() for hasher in hashers]
    return {
        "rows": total,
        "bad": bad.count,
        "shown": bad.shown,
        "reasons": dict(bad.reasons),
        "sizes": sizes,
        "digests": digests,
        "digest": _digest(digests),
        "format": FORMAT,
    }

"""A corpus that is read while training runs, and never held in memory."""

import hashlib
import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.data.buckets import plan_batches
from keras_led.data.cache import tokenizer_digest
from keras_led.data.dataset import TARGET_STEP
from keras_led.data.dataset import BatchDataset
from keras_led.data.files import STANDARD_INPUT
from keras_led.data.rows import BadRows
from keras_led.data.sources import read_rows
from keras_led.data.sources import source_files
from keras_led.data.tasks import Seq2Seq
from keras_led.data.tokens import encode_rows

if TYPE_CHECKING:
    from keras_led.data.tasks import Example
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class StreamingSeq2SeqDataset(BatchDataset):
    """Batches of documents and texts, read from files as they are needed.

    The rows pass, again and again, through a buffer in which they are
    shuffled and sorted by length; memory holds its tokens and no more. As the
    number of rows is unknown, an epoch is a chosen number of batches, and goes
    on where the last one stopped; and all targets are padded to
    `max_target_tokens`, which the decoder has to have positions for. Resuming
    reads the files again up to that place.

    Args:
        rows: files, or an iterable that can be read again; see `read_rows`.
        tokenizer: `LEDTokenizer`.
        steps_per_epoch: int, batches of an epoch.
        shuffle_buffer: int, rows in the buffer.
        batch_size: see `Seq2SeqDataset`; likewise the other arguments. With
            "stop" a bad row raises when it is reached, with "skip" each pass
            over the rows ends with a warning if there were any.

    Raises:
        ValueError: If an argument, or a row when it is reached, is no good.
        TypeError: If `rows` can be read only once.
    """

    files: list[str] | None
    shuffle_buffer: int
    truncated: int
    skipped: int
    target_length: int

    def __init__(
        self,
        rows: Any,
        tokenizer: "LEDTokenizer",
        steps_per_epoch: int,
        *,
        shuffle_buffer: int = 1024,
        batch_size: int = 4,
        max_source_tokens: int = 4096,
        max_target_tokens: int = 256,
        document: str = "document",
        summary: str = "summary",
        question: str | None = None,
        strip_bos: bool = False,
        buckets: Iterable[int] | None = None,
        shuffle: bool = True,
        seed: int = 0,
        bad_rows: str = "stop",
    ):
        task = Seq2Seq(
            tokenizer,
            max_source_tokens,
            max_target_tokens,
            document,
            summary,
            question,
            strip_bos,
        )
        super().__init__(task, batch_size, buckets, seed)
        for name, value in (
            ("steps_per_epoch", steps_per_epoch),
            ("shuffle_buffer", shuffle_buffer),
        ):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {name}={value!r}."
                )
        BadRows(bad_rows)
        self.files = source_files(rows)
        once = self.files is None and iter(rows) is rows
        if once or STANDARD_INPUT in (self.files or ()):
            raise TypeError(
                "`rows` must be readable more than once. Received: "
                f"{'standard input' if self.files else type(rows).__name__}. "
                "Pass files or a list."
            )
        self.rows = rows
        self.batches_per_epoch = steps_per_epoch
        self.shuffle_buffer = max(shuffle_buffer, batch_size)
        self.shuffle = shuffle
        self.bad_rows = bad_rows
        self.truncated = self.skipped = 0
        self.target_length = -(-max_target_tokens // TARGET_STEP) * TARGET_STEP
        self._stream = None
        self._next = 0

    @property
    def fingerprint(self) -> str:
        """str that changes with the files' sizes, or any setting."""
        settings = [
            [(file, os.path.getsize(file)) for file in self.files or ()],
            self.task.settings(),
            tokenizer_digest(self.task.tokenizer),
            self.batch_size,
            self.batches_per_epoch,
            self.buckets,
            self.shuffle_buffer,
            bool(self.shuffle),
            self.seed,
        ]
        text = json.dumps(settings).encode()
        return hashlib.blake2b(text, digest_size=16).hexdigest()

    def examples_of(
        self, epoch: int, index: int
    ) -> "tuple[list[Example], int]":
        wanted = epoch * self.batches_per_epoch + index
        if self._stream is None or wanted < self._next:
            self._stream, self._next = self._batches(), 0
        while True:
            batch = next(self._stream)
            self._next += 1
            if self._next > wanted:
                return batch

    def _batches(self):
        """Yields pairs of examples and their bucket, without an end.

        TensorFlow takes from the first two batches which axes vary. So the
        first is padded to the longest bucket, and the second is shorter; where
        the first buffer holds no shorter row, all are padded to the longest.
        """
        rest, number = [], 0
        longest, buckets = self.buckets[-1], self.buckets
        for examples in self._buffers():
            examples = rest + examples
            generator = None
            if self.shuffle:
                generator = np.random.default_rng([self.seed, number])
            lengths = [len(example.source) for example in examples]
            plan = plan_batches(lengths, buckets, self.batch_size, generator)
            full = [p for p in plan if len(p[0]) == self.batch_size]
            rest = [
                examples[row]
                for rows, _ in plan
                for row in rows
                if len(rows) < self.batch_size
            ]
            if number == 0 and full:
                full.sort(key=lambda batch: batch[1] == longest)
                if full[min(1, len(full) - 1)][1] == longest:
                    buckets = (longest,)
                full[0] = (full[0][0], longest)
            for rows, length in full:
                yield [examples[row] for row in rows], length
            number += bool(full)

    def _buffers(self):
        """Yields lists of examples, pass after pass over the rows."""
        while True:
            bad, counts, buffer = BadRows(self.bad_rows), {}, []
            cut = 0
            rows = read_rows(self.rows, self.task.fields)
            for example in encode_rows(self.task, rows, bad, counts):
                if bad.count and self.bad_rows == "stop":
                    bad.finish(counts["rows"])
                cut += example.cut
                buffer.append(example)
                if len(buffer) == self.shuffle_buffer:
                    yield buffer
                    buffer = []
            self.truncated, self.skipped = cut, bad.count
            bad.finish(counts.get("rows", 0))
            if buffer:
                yield buffer

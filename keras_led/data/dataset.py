"""Datasets for `fit`, `evaluate` and `predict` of the models."""

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

import keras
import numpy as np

from keras_led.data.batches import pad_sources
from keras_led.data.buckets import make_buckets
from keras_led.data.buckets import plan_batches
from keras_led.data.cache import load_store
from keras_led.data.tasks import Classification
from keras_led.data.tasks import Seq2Seq
from keras_led.data.tasks import Spans
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.data.tasks import Example
    from keras_led.data.tasks import Task
    from keras_led.data.tokens import TokenStore
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

# Target lengths are rounded up to this many tokens.
TARGET_STEP = 8


class BatchDataset(keras.utils.PyDataset):
    """What the datasets have in common: batches, and the place in them.

    A subclass gives `examples_of(epoch, index)` and `batches_per_epoch`.

    Args:
        task: `Task`.
        batch_size: int, rows of every batch. An incomplete batch is filled up
            with rows whose targets do not count.
        buckets: see `make_buckets`.
        seed: int.

    Attributes:
        epoch: int from 0, which order of the rows is next.
        truncated: int, documents that were cut.
    """

    buckets: tuple[int, ...]
    epoch: int

    def __init__(
        self,
        task: "Task",
        batch_size: int,
        buckets: Iterable[int] | None,
        seed: int,
    ):
        # One worker: a batch takes microseconds to put together, and several
        # would lose its place in the order.
        super().__init__(workers=1)
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(
                "`batch_size` must be a number of rows, at least 1. "
                f"Received: batch_size={batch_size!r}."
            )
        self.task = task
        self.batch_size = batch_size
        self.buckets = make_buckets(task.max_source_tokens, buckets)
        self.seed = seed
        self.epoch = 0
        self._first = 0
        self._expected = None

    @property
    def num_batches(self) -> int:
        """int, batches of this epoch that are still to come."""
        return self.batches_per_epoch - self._first

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], Any]:
        """Returns a batch: inputs, and what the model is to predict.

        Args:
            index: int.

        Returns:
            Pair of a dict of int32 arrays `(B, L)`: `input_ids`,
            `attention_mask`, `global_attention_mask`; and of the targets.
        """
        if not 0 <= index < self.num_batches:
            raise IndexError(
                f"`index` must be below {self.num_batches}. "
                f"Received: index={index}."
            )
        if self._expected is not None:
            self._check_order(index)
        examples, length = self.examples_of(self.epoch, self._first + index)
        inputs = pad_sources(
            examples, self.batch_size, length, self.task.tokenizer
        )
        targets = self.task.targets(
            examples, self.batch_size, length, self.target_length
        )
        return inputs, targets

    def go_to(self, epoch: int, step: int = 0) -> None:
        """Makes the next pass start in the middle, as it would have gone on.

        From then on the epoch changes by `go_to` alone, and batches must be
        asked for in order.

        Args:
            epoch: int from 0.
            step: int, batches of the epoch that are done.

        Raises:
            ValueError: If the epoch has fewer batches.
        """
        if not 0 <= step < max(self.batches_per_epoch, 1):
            raise ValueError(
                f"`step` must be below {self.batches_per_epoch}, the batches "
                f"of an epoch. Received: step={step}."
            )
        self.epoch, self._first, self._expected = epoch, step, 0

    def on_epoch_end(self) -> None:
        if self._expected is None:
            self.epoch += 1

    def _check_order(self, index):
        # Keras may start a pass more than once, each from 0.
        if index not in (0, self._expected):
            raise ValueError(
                "`fit` must be called with `shuffle=False`: the dataset "
                "shuffles its rows itself, in an order that can be resumed. "
                f"Received: batch {index} instead of {self._expected}."
            )
        self._expected = index + 1


class TokenDataset(BatchDataset):
    """Batches of a corpus that is tokenized once, before the first epoch.

    Args:
        task: `Task`.
        rows: see `read_rows`.
        batch_size: see `BatchDataset`.
        buckets: see `make_buckets`.
        shuffle: bool, whether each epoch has an order of its own.
        seed: int, decides on these orders.
        bad_rows: str: "stop" raises, with the first bad rows, "skip" leaves
            them out, with a warning.
        cache_dir: str or path of a folder that keeps the tokens, or `None`.
    """

    store: "TokenStore"
    target_length: int

    def __init__(
        self,
        task: "Task",
        rows: Any,
        batch_size: int,
        buckets: Iterable[int] | None,
        shuffle: bool,
        seed: int,
        bad_rows: str,
        cache_dir: StrPath | None,
    ):
        super().__init__(task, batch_size, buckets, seed)
        self.shuffle = shuffle
        self.store = load_store(task, rows, bad_rows, cache_dir)
        longest = int(self.store.lengths[:, 1].max())
        self.target_length = -(-longest // TARGET_STEP) * TARGET_STEP
        self._planned = None
        self._plan = None

    @property
    def batches_per_epoch(self) -> int:
        """int, all batches of an epoch."""
        return -(-len(self.store) // self.batch_size)

    @property
    def truncated(self) -> int:
        """int, documents that were longer than the limit."""
        return int(self.store.lengths[:, 3].sum())

    @property
    def most_global_tokens(self) -> int:
        """int, tokens of a document that attend globally; at least 1."""
        return max(1, int(self.store.lengths[:, 2].max()))

    @property
    def skipped(self) -> int:
        """int, bad rows that were left out."""
        return self.store.facts["bad"]

    @property
    def fingerprint(self) -> str:
        """str that changes with the numbers of any batch, or their order."""
        settings = [
            self.store.facts["digest"],
            self.batch_size,
            self.buckets,
            bool(self.shuffle),
            self.seed,
        ]
        text = json.dumps(settings).encode()
        return hashlib.blake2b(text, digest_size=16).hexdigest()

    def plan(self, epoch: int) -> list[tuple[list[int], int]]:
        """The batches of an epoch: see `plan_batches`."""
        if not self.shuffle:
            epoch = None  # pyright: ignore[reportAssignmentType]
        if self._plan is None or self._planned != epoch:
            generator = None
            if self.shuffle:
                generator = np.random.default_rng([self.seed, epoch])
            self._plan = plan_batches(
                self.store.lengths[:, 0],
                self.buckets,
                self.batch_size,
                generator,
            )
            self._planned = epoch
        return self._plan

    def examples_of(
        self, epoch: int, index: int
    ) -> "tuple[list[Example], int]":
        rows, length = self.plan(epoch)[index]
        return [self.store[row] for row in rows], length


class Seq2SeqDataset(TokenDataset):
    """Batches of documents and the texts to write about them.

    Args:
        rows: files of JSON lines or CSV, a `datasets.Dataset`, a
            `pandas.DataFrame`, dicts, or tuples (document, summary); see
            `read_rows`.
        tokenizer: `LEDTokenizer`.
        batch_size: int, rows of every batch.
        max_source_tokens: int, longest document; the rest is cut.
        max_target_tokens: int, longest target, with its special tokens.
        document: str, field of the document.
        summary: str, field of the target.
        question: str, field of a question whose tokens attend globally, or
            `None`: then `<s>` alone does.
        strip_bos: bool, whether labels go without the `<s>` in front of the
            text. With it, a decoder that starts with `</s>` learns to write
            `<s>` first; led-large hardly tells the two apart, and may then
            write nothing but `<s>`. A model trained without it must not be
            made to write it: `forced_bos_token_id` of its generation config
            has to be `None`.
        buckets: iterable of int, lengths in tokens to which documents are
            padded; by default 128, 256, 512 and so on.
        shuffle: bool, whether each epoch has an order of its own. Call `fit`
            with `shuffle=False` beside: it shuffles once more otherwise.
        seed: int, decides on these orders.
        bad_rows: str: "stop" raises with the first bad rows, by file and line;
            "skip" leaves them out, with a warning.
        cache_dir: str or path of a folder that keeps the tokens for the next
            run, outside of memory; or `None`.

    Raises:
        ValueError: If an argument or a row cannot be used.
        TypeError: If `rows` is nothing that holds rows.
    """

    def __init__(
        self,
        rows: Any,
        tokenizer: "LEDTokenizer",
        *,
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
        cache_dir: StrPath | None = None,
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
        super().__init__(
            task, rows, batch_size, buckets, shuffle, seed, bad_rows, cache_dir
        )


class ClassificationDataset(TokenDataset):
    """Batches of documents and their classes.

    Args:
        rows: as in `Seq2SeqDataset`; tuples are (document, label).
        tokenizer: `LEDTokenizer`.
        classes: list of the values that a label may have.
        document: str, field of the document.
        label: str, field of the class.
        batch_size: int, rows of every batch.
        max_source_tokens: int, longest document; the rest is cut.
        **options: `buckets`, `shuffle`, `seed`, `bad_rows` and `cache_dir` of
            `Seq2SeqDataset`.
    """

    def __init__(
        self,
        rows: Any,
        tokenizer: "LEDTokenizer",
        classes: Iterable[Any],
        *,
        document: str = "document",
        label: str = "label",
        batch_size: int = 4,
        max_source_tokens: int = 4096,
        **options: Any,
    ):
        task = Classification(
            tokenizer, max_source_tokens, classes, document, label
        )
        super().__init__(task, rows, batch_size, **_common(options))


class QuestionAnsweringDataset(TokenDataset):
    """Batches of questions, documents, and where the answer is in them.

    The tokens of the question attend globally.

    Args:
        rows: as in `Seq2SeqDataset`; tuples are (question, document, answer,
            answer_start).
        tokenizer: `LEDTokenizer`.
        question: str, field of the question.
        document: str, field of the document.
        answer: str, field of the answer, a part of the document.
        answer_start: str, field of the character where it starts.
        batch_size: int, rows of every batch.
        max_source_tokens: int, most tokens of question and document. A row
            whose answer is cut off is a bad one.
        **options: `buckets`, `shuffle`, `seed`, `bad_rows` and `cache_dir` of
            `Seq2SeqDataset`.
    """

    def __init__(
        self,
        rows: Any,
        tokenizer: "LEDTokenizer",
        *,
        question: str = "question",
        document: str = "document",
        answer: str = "answer",
        answer_start: str = "answer_start",
        batch_size: int = 4,
        max_source_tokens: int = 4096,
        **options: Any,
    ):
        task = Spans(
            tokenizer,
            max_source_tokens,
            question,
            document,
            answer,
            answer_start,
        )
        super().__init__(task, rows, batch_size, **_common(options))


def _common(options):
    defaults = {
        "buckets": None,
        "shuffle": True,
        "seed": 0,
        "bad_rows": "stop",
        "cache_dir": None,
    }
    unknown = sorted(set(options) - set(defaults))
    if unknown:
        raise TypeError(
            f"Options must be among {', '.join(defaults)}. "
            f"Received: {unknown[0]}."
        )
    return {**defaults, **options}

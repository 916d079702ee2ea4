"""What a row of each task becomes: tokens to read, and a target."""

import copy
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import numpy as np

from keras_led.argument_checks import check_list
from keras_led.data.batches import pad_targets
from keras_led.data.rows import RowProblem
from keras_led.data.rows import text_of

if TYPE_CHECKING:
    from keras_led.tokenizer.batch_encoding import BatchEncoding
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

# Labels with this value do not count; the losses of the models know it.
IGNORED_LABEL = -100


class Example(NamedTuple):
    """A row as numbers.

    Attributes:
        source: sequence of int, the tokens that the encoder reads.
        target: sequence of int, what the task predicts.
        global_tokens: int, how many of the first tokens attend globally.
        cut: bool, whether the document was longer than the limit.
    """

    source: Any
    target: Any
    global_tokens: int
    cut: bool = False


class Task:
    """Base of the tasks: fields of a row, tokenized side by side.

    The tokenizer gets many texts at once and spreads them over the cores.

    Args:
        tokenizer: `LEDTokenizer`.
        max_source_tokens: int, longest document, with its special tokens (and
            the question); what is longer is cut.
        document: str, field of the document.
        question: str, field of a question that is read before the document,
            or `None`. Its tokens attend globally, else `<s>` alone does.
    """

    def __init__(
        self,
        tokenizer: "LEDTokenizer",
        max_source_tokens: int,
        document: str,
        question: str | None = None,
    ):
        if not isinstance(max_source_tokens, int) or max_source_tokens < 8:
            raise ValueError(
                "`max_source_tokens` must be a number of tokens, at least 8. "
                f"Received: max_source_tokens={max_source_tokens!r}."
            )
        self.tokenizer = tokenizer
        self.max_source_tokens = max_source_tokens
        self.document = document
        self.question = question

    @property
    def fields(self) -> tuple[str, ...]:
        """Tuple of str, the fields in the order of a tuple."""
        first = () if self.question is None else (self.question,)
        return (*first, self.document, *self.target_fields)

    def settings(self) -> dict[str, Any]:
        """What decides on the numbers, as plain JSON."""
        names = {"fields": list(self.fields), "task": type(self).__name__}
        return {**names, "max_source_tokens": self.max_source_tokens}

    def read(self, record: dict[str, Any]) -> dict[str, Any]:
        """Takes what the task needs from a record.

        Args:
            record: dict.

        Returns:
            Dict of field to value.

        Raises:
            RowProblem: If a field is missing or of no use.
        """
        texts = [self.document]
        if self.question is not None:
            texts.insert(0, self.question)
        values = {field: text_of(record, field) for field in texts}
        values.update(self.read_target(record))
        return values

    def encode(
        self, records: list[dict[str, Any]]
    ) -> list[Example | RowProblem]:
        """Turns what `read` gave into examples.

        Args:
            records: list of dicts.

        Returns:
            List of `Example`, or of `RowProblem` where there is none.
        """
        most = self.max_source_tokens
        documents = self.tokenize([r[self.document] for r in records], most)
        questions = [None] * len(records)
        if self.question is not None:
            texts = [r[self.question] for r in records]
            questions = self.tokenize(texts, most)["input_ids"]
        targets = self.encode_targets(records)
        return [
            self._example(record, question, documents, row, target)
            for row, (record, question, target) in enumerate(
                zip(records, questions, targets, strict=True)
            )
        ]

    def tokenize(
        self, texts: list[str], limit: int | None = None, **options: Any
    ) -> "BatchEncoding":
        """Token ids of texts, without special tokens.

        Args:
            texts: list of str.
            limit: int, how many of the first tokens are kept, or `None` for
                all. There is one more where a text is longer.
            **options: of the tokenizer.
        """
        cuts = limit is not None
        tokenizer = self.tokenizer
        if cuts and getattr(tokenizer, "truncation_side", "right") != "right":
            # What is kept here are the first tokens. Read uncut, a text takes
            # some 200 times its size in memory.
            tokenizer = copy.copy(tokenizer)
            tokenizer.truncation_side = "right"
        return tokenizer(
            texts,
            add_special_tokens=False,
            truncation=cuts,
            max_length=limit + 1 if cuts else None,
            return_attention_mask=False,
            verbose=False,
            **options,
        )

    def _example(self, record, question, documents, row, target):
        document = documents["input_ids"][row]
        parts = () if question is None else (question,)
        build = self.tokenizer.build_inputs_with_special_tokens
        special = len(build(*([] for _ in (*parts, document))))
        room = self.max_source_tokens - special - len(question or ())
        if room < 1:
            tokens = len(question or ())
            if tokens > self.max_source_tokens:  # read no further than that
                tokens = f"more than {self.max_source_tokens}"
            return RowProblem(
                f"`{self.question}` of {tokens} tokens, which leaves no room "
                "for the document",
                f"`{self.question}` is too long",
            )
        cut = len(document) > room
        source = build(*parts, document[:room])  # pyright: ignore[reportCallIssue]
        # `<s>`, then the question; the two `</s>` behind it are local.
        global_tokens = 1 + len(question or ())
        first = len(source) - len(document[:room]) - 1
        target = self.place(record, target, documents, row, first, room)
        if isinstance(target, RowProblem):
            return target
        return Example(source, target, global_tokens, cut)

    def place(
        self,
        record: dict[str, Any],
        target: Any,
        documents: "BatchEncoding",
        row: int,
        first: int,
        room: int,
    ) -> Any:
        """The target, once it is known where the document's tokens are."""
        return target


class Seq2Seq(Task):
    """Document in, text out: summaries, translations, written answers.

    Args:
        tokenizer: `LEDTokenizer`.
        max_source_tokens: see `Task`.
        max_target_tokens: int, longest target, with its special tokens.
        document: see `Task`.
        summary: str, field of the target text.
        question: see `Task`.
        strip_bos: bool, whether targets go without the `<s>` in front:
            `text </s>` instead of `<s> text </s>`.
    """

    target_fields: tuple[str, ...]

    def __init__(
        self,
        tokenizer: "LEDTokenizer",
        max_source_tokens: int,
        max_target_tokens: int,
        document: str = "document",
        summary: str = "summary",
        question: str | None = None,
        strip_bos: bool = False,
    ):
        super().__init__(tokenizer, max_source_tokens, document, question)
        if not isinstance(max_target_tokens, int) or max_target_tokens < 3:
            raise ValueError(
                "`max_target_tokens` must be a number of tokens, at least 3. "
                f"Received: max_target_tokens={max_target_tokens!r}."
            )
        self.max_target_tokens = max_target_tokens
        self.target_fields = (summary,)
        self.strip_bos = strip_bos

    def settings(self) -> dict[str, Any]:
        settings = super().settings()
        settings["max_target_tokens"] = self.max_target_tokens
        if self.strip_bos:  # caches made without the option stay good
            settings["strip_bos"] = True
        return settings

    def read_target(self, record: dict[str, Any]) -> dict[str, Any]:
        (field,) = self.target_fields
        return {field: text_of(record, field)}

    def encode_targets(self, records: list[dict[str, Any]]) -> list[Any]:
        (field,) = self.target_fields
        room = self.max_target_tokens - len(self._target_of([]))
        found = self.tokenize([record[field] for record in records], room)
        return [self._target_of(ids[:room]) for ids in found["input_ids"]]

    def _target_of(self, ids):
        """The tokens of a text between the special ones."""
        built = self.tokenizer.build_inputs_with_special_tokens(ids)
        return built[1:] if self.strip_bos else built

    def targets(
        self,
        examples: Sequence[Example],
        batch_size: int,
        source_length: int,
        target_length: int,
    ) -> np.ndarray:
        """Labels, int32 `(B, T)`; -100 behind the text."""
        return pad_targets(examples, batch_size, target_length, IGNORED_LABEL)


class Classification(Task):
    """Document in, class out.

    Args:
        tokenizer: `LEDTokenizer`.
        max_source_tokens: see `Task`.
        classes: list of the values that the label may have; the class is the
            place in this list.
        document: see `Task`.
        label: str, field of the class.
    """

    classes: list[Any]
    target_fields: tuple[str, ...]

    def __init__(
        self,
        tokenizer: "LEDTokenizer",
        max_source_tokens: int,
        classes: Iterable[Any],
        document: str = "document",
        label: str = "label",
    ):
        super().__init__(tokenizer, max_source_tokens, document)
        self.classes = check_list("classes", classes, "labels")
        if len(set(self.classes)) != len(self.classes) or not self.classes:
            raise ValueError(
                "`classes` must hold each class once. "
                f"Received: classes={self.classes}."
            )
        self.target_fields = (label,)

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "classes": self.classes}

    def read_target(self, record: dict[str, Any]) -> dict[str, Any]:
        (field,) = self.target_fields
        value = record.get(field)
        if value not in self.classes:
            raise RowProblem(
                f"{value!r} under `{field}`, none of the classes",
                f"no class under `{field}`",
            )
        return {field: self.classes.index(value)}

    def encode_targets(self, records: list[dict[str, Any]]) -> list[Any]:
        (field,) = self.target_fields
        return [[record[field]] for record in records]

    def targets(
        self,
        examples: Sequence[Example],
        batch_size: int,
        source_length: int,
        target_length: int,
    ) -> np.ndarray:
        """Classes, int32 `(B,)`; -100 for a row that fills up."""
        return pad_targets(examples, batch_size, 1, IGNORED_LABEL)[:, 0]


class Spans(Task):
    """Question and document in, place of the answer out.

    Args:
        tokenizer: `LEDTokenizer`.
        max_source_tokens: see `Task`. A row whose answer is cut off is bad.
        question: str, field of the question.
        document: str, field of the document.
        answer: str, field of the answer, a part of the document.
        answer_start: str, field of the character where the answer starts.
    """

    target_fields: tuple[str, ...]

    def __init__(
        self,
        tokenizer: "LEDTokenizer",
        max_source_tokens: int,
        question: str = "question",
        document: str = "document",
        answer: str = "answer",
        answer_start: str = "answer_start",
    ):
        super().__init__(tokenizer, max_source_tokens, document, question)
        self.target_fields = (answer, answer_start)

    def tokenize(
        self, texts: list[str], limit: int | None = None, **options: Any
    ) -> "BatchEncoding":
        options["return_offsets_mapping"] = True
        return super().tokenize(texts, limit, **options)

    def read_target(self, record: dict[str, Any]) -> dict[str, Any]:
        answer, start = self.target_fields
        text, position = text_of(record, answer), record.get(start)
        document = text_of(record, self.document)
        if not isinstance(position, int) or position < 0:
            raise RowProblem(f"no character's number under `{start}`")
        if document[position : position + len(text)] != text:
            raise RowProblem(f"no `{answer}` at character {position}")
        return {answer: text, start: position}

    def encode_targets(self, records: list[dict[str, Any]]) -> list[Any]:
        answer, start = self.target_fields
        return [(r[start], r[start] + len(r[answer])) for r in records]

    def place(
        self,
        record: dict[str, Any],
        target: Any,
        documents: "BatchEncoding",
        row: int,
        first: int,
        room: int,
    ) -> Any:
        offsets = np.asarray(documents["offset_mapping"][row])
        begin = int(np.argmax(offsets[:, 1] > target[0]))
        end = len(offsets) - 1 - int(np.argmax(offsets[::-1, 0] < target[1]))
        if end >= room:
            return RowProblem(
                f"an answer that ends at character {target[1]}, behind the cut",
                "an answer behind the cut",
            )
        return (first + begin, first + end)

    def targets(
        self,
        examples: Sequence[Example],
        batch_size: int,
        source_length: int,
        target_length: int,
    ) -> dict[str, np.ndarray]:
        """Dict of int32 `(B,)`; past the end for a row that fills up."""
        places = pad_targets(examples, batch_size, 2, source_length)
        return {
            "start_positions": places[:, 0],
            "end_positions": places[:, 1],
        }

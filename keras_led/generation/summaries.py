"""From texts to summaries: the high-level path."""

import warnings
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from keras_led.typing import S

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


class CutDocumentWarning(UserWarning):
    """A document is longer than the model reads, and was cut.

    Args:
        index: int from 0, which of the documents it is.
        text: str, what happened to it, in words that follow its name.
    """

    def __init__(self, index: int, text: str):
        super().__init__(f"Document {index} {text}")
        self.index = index
        self.text = text


class TokenizedDocuments:
    """Texts as token ids, cut to what the model reads.

    Args:
        texts: list of str.
        tokenizer: `LEDTokenizer`, or one with its call options.
        limit: int, longest document, in tokens.
    """

    pad_token_id: int | None
    ids: list[list[int]]

    def __init__(self, texts: list[str], tokenizer: "LEDTokenizer", limit: int):
        for index, text in enumerate(texts):
            check_text(index, text)
        self.pad_token_id = tokenizer.pad_token_id
        self.ids, self._cuts = [], []
        for text in texts:
            ids, cut = _read_document(text, tokenizer, limit)
            self.ids.append(ids)
            self._cuts.append(cut)

    def warn_of_cuts(
        self, stacklevel: int, numbers: Sequence[int] | None = None
    ) -> None:
        """Warns of each document that was cut.

        Args:
            stacklevel: int, as of `warnings.warn`, from the caller's caller.
            numbers: list of int, what to call each document, or `None` for
                its index.
        """
        for index, cut in enumerate(self._cuts):
            if cut is not None:
                number = index if numbers is None else numbers[index]
                warnings.warn(
                    CutDocumentWarning(number, cut), stacklevel=stacklevel + 1
                )

    def batch(self, indices: Sequence[int]) -> dict[str, np.ndarray]:
        """Inputs of `generate` for some documents.

        Global attention is on the first token, `<s>`, of each.
        """
        length = max(len(self.ids[i]) for i in indices)
        shape = (len(indices), length)
        ids = np.full(shape, self.pad_token_id, "int32")
        mask = np.zeros(shape, "int32")
        for row, index in enumerate(indices):
            size = len(self.ids[index])
            ids[row, :size] = self.ids[index]
            mask[row, :size] = 1
        global_mask = np.zeros(shape, "int32")
        global_mask[:, 0] = 1
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "global_attention_mask": global_mask,
        }


def check_text(index: int, text: Any) -> None:
    """Raises `TypeError` if a document is no text."""
    if not isinstance(text, str):
        raise TypeError(
            "Each document must be a str. "
            f"Received: {type(text).__name__} at index {index}."
        )


def _read_document(text, tokenizer, limit):
    """Tokenizes a document as far as the model reads it.

    Returns:
        Pair of its ids, list of int, and what was cut off, as text, or `None`.
    """
    # One token more than is read shows that there is one.
    encoded = tokenizer(
        [text],
        truncation=True,
        max_length=limit + 1,
        return_offsets_mapping=True,
        return_attention_mask=False,
    )
    ids = list(encoded["input_ids"][0])
    if len(ids) <= limit:
        return ids, None
    places = encoded["offset_mapping"][0]
    if getattr(tokenizer, "truncation_side", "right") == "left":
        del ids[1]
        side, cut = "first", places[2][0]
    else:
        del ids[-2]
        side, cut = "last", len(text) - places[-3][1]
    return ids, (
        f"is too long: the model reads {limit} tokens. The {side} {cut} of "
        f"{len(text)} characters ({100 * cut / len(text):.0f} %) were cut off."
    )


class Summarizer:
    """From texts to summaries, by the options of one call.

    Args:
        model: offers `config` and `generate`.
        tokenizer: `LEDTokenizer`.
        batch_size: int, most documents at once.
        max_input_length: int, longest document in tokens, or `None` for what
            the model's position table holds.
        options: dict of arguments of `generate`.

    Raises:
        ValueError: If a value does not fit.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: "LEDTokenizer",
        batch_size: int,
        max_input_length: int | None,
        options: Mapping[str, Any],
    ):
        for name, value in (
            ("batch_size", batch_size),
            ("max_input_length", max_input_length),
        ):
            check_positive(name, value)
        for name, plain in (
            ("return_dict_in_generate", False),
            ("num_return_sequences", 1),
        ):
            if options.get(name, plain) != plain:
                raise ValueError(
                    f"`{name}` does not fit `summarize`, which returns one "
                    f"text a document. Received: {name}={options[name]}. "
                    "Use `generate`."
                )
        self._model, self._tokenizer = model, tokenizer
        self._batch_size = batch_size
        self._limit = model.config.max_encoder_position_embeddings
        if max_input_length is not None:
            self._limit = min(self._limit, max_input_length)
        self._options = {
            "return_dict_in_generate": False,
            "num_return_sequences": 1,
            **options,
        }

    def read(self, texts: list[str]) -> TokenizedDocuments:
        """Tokenizes texts; raises `TypeError` if one is no string."""
        return TokenizedDocuments(texts, self._tokenizer, self._limit)

    def write(self, documents: TokenizedDocuments) -> Iterator[tuple[int, str]]:
        """Yields pairs of an index and a summary, batch by batch."""
        for indices in batches(documents.ids, self._batch_size):
            sequences = self._model.generate(
                **documents.batch(indices),
                tokenizer=self._tokenizer,
                **self._options,
            )
            written = self._tokenizer.batch_decode(
                sequences, skip_special_tokens=True
            )
            for index, summary in zip(indices, written, strict=True):
                yield index, summary.strip()


def check_positive(name: str, value: int | None) -> None:
    """Raises `ValueError` if a number is given and below 1."""
    if value is not None and value < 1:
        raise ValueError(
            f"`{name}` must be at least 1. Received: {name}={value}."
        )


def summarize_texts(
    summarizer: Summarizer, text: S, progress: bool, stacklevel: int = 3
) -> S:
    """Summarizes texts in batches of similar lengths.

    Args:
        summarizer: `Summarizer`.
        text: str, or list of str.
        progress: bool, show a progress bar over the documents.
        stacklevel: int, of warnings, from this function.

    Returns:
        str, or list of str in the order of `text`.

    Raises:
        TypeError: If a text is no string.
    """
    single = isinstance(text, str)
    texts = [text] if single else list(text)
    documents = summarizer.read(texts)
    documents.warn_of_cuts(stacklevel)
    summaries = [""] * len(texts)
    bar = tqdm(total=len(texts), unit="document", disable=not progress)
    with bar:
        for index, summary in summarizer.write(documents):
            summaries[index] = summary
            bar.update()
    return summaries[0] if single else summaries  # pyright: ignore[reportReturnType]


def batches(documents: Sequence[Any], batch_size: int) -> list[list[int]]:
    """Groups documents of similar lengths, the longest first.

    The groups differ by at most one document in size, so that the last one
    seldom needs a compilation of its own.

    Args:
        documents: list of sequences.
        batch_size: int, largest group.

    Returns:
        List of lists of indices.
    """
    order = sorted(
        range(len(documents)), key=lambda i: len(documents[i]), reverse=True
    )
    count = -(-len(order) // batch_size)
    parts = np.array_split(order, count) if order else []
    return [part.tolist() for part in parts]

"""Summaries of texts without end: what is read ahead, and what is kept."""

import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keras_led.generation.summaries import Summarizer
from keras_led.generation.summaries import check_text

ERRORS = ("raise", "keep")


def stream_summaries(
    summarizer: Summarizer, texts: Iterable[Any], buffer: int, errors: str
) -> Iterator[tuple[int, Any]]:
    """Summarizes texts as they come, sorted by length within a buffer.

    A thread tokenizes the next buffer while the model works on this one.

    Args:
        summarizer: `Summarizer`.
        texts: iterable of str.
        buffer: int, texts that are read and sorted together.
        errors: "raise", or "keep" for what is no text.

    Yields:
        Pairs of the text's number, from 0, and its summary; with "keep" the
        `TypeError` in the place of a summary.

    Raises:
        TypeError: If something is no text, and errors are to be raised.
    """
    groups = iter(_groups(texts, buffer))

    def read_next():
        group = next(groups, None)
        if group is None:
            return None
        refused = {} if errors == "raise" else _refused(group)
        kept = [(i, text) for i, text in group if i not in refused]
        for number, text in kept:
            check_text(number, text)
        numbers = [number for number, _ in kept]
        return refused, numbers, summarizer.read([text for _, text in kept])

    with ThreadPoolExecutor(1, "keras_led-tokenizer") as thread:
        ahead = thread.submit(read_next)
        while (found := ahead.result()) is not None:
            ahead = thread.submit(read_next)
            refused, numbers, documents = found
            yield from refused.items()
            documents.warn_of_cuts(2, numbers)
            for index, summary in summarizer.write(documents):
                yield numbers[index], summary


def check_errors(errors: str) -> None:
    """Raises `ValueError` unless `errors` is "raise" or "keep"."""
    if errors not in ERRORS:
        raise ValueError(
            f"`errors` must be one of {', '.join(map(repr, ERRORS))}. "
            f"Received: errors={errors!r}."
        )


def _groups(texts, buffer):
    """Lists of up to `buffer` pairs of a number and a text."""
    numbered = iter(enumerate(texts))
    while group := list(itertools.islice(numbered, buffer)):
        yield group


def _refused(group):
    """Dict from the numbers of what is no text to the error."""
    errors = {}
    for number, text in group:
        try:
            check_text(number, text)
        except TypeError as error:
            errors[number] = error
    return errors

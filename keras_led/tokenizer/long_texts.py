"""Texts far longer than what is kept of them: as little as possible is read."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.shifted_encoding import ShiftedEncoding

if TYPE_CHECKING:
    from keras_led.tokenizer.text_cutter import TextCutter

# What is read first for a token: more than English needs, so that one try is
# enough.
CHARACTERS_PER_TOKEN = 6
SPARE = 1024
# Characters that are encoded at once on the way to the end of a text.
STEP = 1 << 16
# Steps from which on a text is read in steps.
WALKED = 8


def encode_long(
    rows: list[Any],
    run: Callable[..., Any],
    run_uncut: Callable[..., Any],
    cutter: "TextCutter",
    truncation: dict[str, Any],
) -> list[Any]:
    """Encodes rows that are cut to a length, without reading all of them.

    The result is that of the whole rows, but for the parts that are cut off.

    Args:
        rows: list of texts, lists of words, or tuples of two.
        run: callable from rows to their encodings, cut.
        run_uncut: callable from a text to its encoding, uncut and without
            special tokens.
        cutter: `TextCutter`.
        truncation: dict, the arguments of `enable_truncation`.

    Returns:
        List of `tokenizers.Encoding` and `ShiftedEncoding`.
    """
    texts = _LongTexts(run, run_uncut, cutter, truncation)
    from_the_end = truncation["direction"] == "left"
    if not any(map(texts.is_long, rows)) or not cutter.works(from_the_end):
        return run(rows)
    return (texts.encode_last if from_the_end else texts.encode_first)(rows)


class _LongTexts:
    """`encode_long`, with the same arguments."""

    def __init__(self, run, run_uncut, cutter, truncation):
        self._run = run
        self._run_uncut = run_uncut
        self._cutter = cutter
        self._tokens = truncation["max_length"]
        self._strategy = truncation["strategy"]
        self._size = self._tokens * CHARACTERS_PER_TOKEN + SPARE

    def is_long(self, row):
        """Whether a row, or one of its texts, may be read in part."""
        parts = row if isinstance(row, tuple) else (row,)
        return any(len(part) > self._size for part in parts)

    def encode_first(self, rows):
        """Encodes rows whose first tokens are kept."""
        size = self._size
        read = [self._beginning(row, size) for row in rows]
        encodings = self._run(read)
        while short := [
            index
            for index, row in enumerate(rows)
            if not isinstance(row, tuple)
            and len(read[index]) < len(row)
            and len(encodings[index]) < self._tokens
        ]:
            size *= 2
            for index in short:
                read[index] = self._beginning(rows[index], size)
            again = self._run([read[index] for index in short])
            for index, encoding in zip(short, again, strict=True):
                encodings[index] = encoding
        return encodings

    def encode_last(self, rows):
        """Encodes rows whose last tokens are kept, in little memory.

        The texts are read to their end all the same: what a token is depends
        on what is before it.
        """
        places = [self._end_part(row) for row in rows]
        read = [
            row[place[0] :] if place[0] else row
            for row, place in zip(rows, places, strict=True)
        ]
        return [
            ShiftedEncoding(encoding, *place) if place[0] else encoding
            for encoding, place in zip(self._run(read), places, strict=True)
        ]

    def _beginning(self, row, size):
        if isinstance(row, tuple):
            return self._pair(row, size)
        if len(row) <= size:
            return row
        if isinstance(row, list):  # words, each encoded by itself
            return row[:size]
        return row[: self._cutter.end(row, size)[0]]

    def _pair(self, pair, size):
        """Cuts the one of two texts that is long and loses its end.

        Which of two long texts loses more may depend on the ends of both.
        """
        long = [len(text) > size for text in pair]
        if isinstance(pair[0], list) or long[0] == long[1]:
            return pair
        index = long.index(True)
        text, other = pair[index], pair[1 - index]
        if (
            self._strategy == ("only_second", "only_first")[index]
            or len(self._run_uncut(other)) > self._tokens
        ):
            return pair
        end = 0
        while end < len(text):
            end, _ = self._cutter.end(text, size)
            if len(self._run_uncut(text[:end])) > self._tokens:
                break
            size *= 2
        return (text[:end], other) if index == 0 else (other, text[:end])

    def _end_part(self, row):
        """Counts the characters and words before the last tokens."""
        step = max(STEP, self._size)
        if not isinstance(row, str) or len(row) <= WALKED * step:
            return 0, 0
        parts, kept, start, words = deque(), 0, 0, 0
        while start < len(row):
            end, inside = self._cutter.end(row, step, start)
            encoding = self._run_uncut(row[start:end])
            parts.append((start, words, len(encoding)))
            kept += len(encoding)
            while kept - parts[0][2] >= self._tokens:
                kept -= parts.popleft()[2]
            # A word that goes on behind the part counts once.
            words += 1 + max(encoding.word_ids, default=-1) - inside
            start = end
        return parts[0][:2]

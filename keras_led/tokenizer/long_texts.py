"""Long texts: of what is cut off little is read, and all else in pieces.

The backend takes longer for a byte the longer the text is: on one core, in
seconds of the processor, it read 1.5 MB a second of 0.5 MB and 1.1 of 5 MB; in
pieces 1.3. Where there are more cores, it reads several pieces at once.
"""

import array
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.joined_encoding import JoinedEncoding

if TYPE_CHECKING:
    from keras_led.tokenizer.text_cutter import TextCutter

# What is read first for a token: more than English needs, so that one try is
# enough.
CHARACTERS_PER_TOKEN = 6
SPARE = 1024
# Characters of a piece.
STEP = 1 << 13
# Pieces that are encoded at once. Longer texts are read in pieces.
WALKED = 16


def encode_long(
    rows: list[Any],
    run: Callable[..., Any],
    run_uncut: Callable[..., Any],
    finish: Callable[..., Any],
    cutter: "TextCutter",
    truncation: dict[str, Any] | None,
) -> list[Any]:
    """Encodes rows, cut to a length or whole, in time linear in what is kept.

    The result is that of the whole rows, but for the parts that are cut off.

    Args:
        rows: list of texts, lists of words, or tuples of two.
        run: callable from rows to their encodings, cut.
        run_uncut: callable from texts to their encodings, uncut and without
            special tokens, whose offsets hold the space of a word.
        finish: callable from such an encoding to that of `run`.
        cutter: `TextCutter`.
        truncation: dict, the arguments of `enable_truncation`, or `None`.

    Returns:
        List of `tokenizers.Encoding` and `JoinedEncoding`.
    """
    texts = _LongTexts(run, run_uncut, finish, cutter, truncation)
    if not any(map(texts.is_long, rows)):
        return run(rows)
    encodings = [texts.in_pieces(row) for row in rows]
    others = [n for n, encoding in enumerate(encodings) if encoding is None]
    found = texts.at_once([rows[n] for n in others])
    for n, encoding in zip(others, found, strict=True):
        encodings[n] = encoding
    return encodings


class _LongTexts:
    """`encode_long`, with the same arguments."""

    def __init__(self, run, run_uncut, finish, cutter, truncation):
        self._run = run
        self._run_uncut = run_uncut
        self._finish = finish
        self._cutter = cutter
        cut = truncation or {"max_length": float("inf"), "strategy": None}
        self._tokens = cut["max_length"]
        self._strategy = cut["strategy"]
        self._size = self._tokens * CHARACTERS_PER_TOKEN + SPARE
        self._from_the_end = cut.get("direction") == "left"

    def is_long(self, row):
        """Whether a row, or one of its texts, may be read in part."""
        parts = row if isinstance(row, tuple) else (row,)
        return any(len(part) > min(self._size, WALKED * STEP) for part in parts)

    def at_once(self, rows):
        """Encodes rows of which no more than some pieces are read."""
        if self._from_the_end or not self._cutter.works(False):
            return self._run(rows)
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
            or len(self._run_uncut([other])[0]) > self._tokens
        ):
            return pair
        end = 0
        while end < len(text):
            end, _ = self._cutter.end(text, size)
            if len(self._run_uncut([text[:end]])[0]) > self._tokens:
                break
            size *= 2
        return (text[:end], other) if index == 0 else (other, text[:end])

    def in_pieces(self, row):
        """Encodes a text of which more than some pieces are read.

        Where its last tokens are kept it is read to its end all the same: what
        a token is depends on what is before it.

        Returns:
            `JoinedEncoding`, or `None` for any other row.
        """
        size = len(row) if self._from_the_end else min(len(row), self._size)
        if not isinstance(row, str) or size <= WALKED * STEP:
            return None
        if not self._cutter.works(from_the_end=True):
            return None
        pieces, kept, start, words = deque(), 0, 0, 0
        while start < len(row) and (kept < self._tokens or self._from_the_end):
            read = []
            while start < len(row) and len(read) < WALKED:
                end, inside = self._cutter.end(row, STEP, start)
                read.append((start, end, inside))
                start = end
            found = self._run_uncut([row[a:b] for a, b, _ in read])
            for (begin, end, inside), encoding in zip(read, found, strict=True):
                tokens = len(encoding)
                last = encoding.token_to_chars(tokens - 1) if tokens else None
                # The next piece is put behind the last token of this one,
                # which ends before it where the vocabulary lacks bytes.
                if last is None or last[1] != end - begin:
                    return None
                pieces.append((begin, words, encoding))
                kept += tokens
                # A word that goes on behind the piece counts once.
                words += 1 + max(encoding.word_ids) - inside
            while (
                self._from_the_end and kept - len(pieces[0][2]) >= self._tokens
            ):
                kept -= len(pieces.popleft()[2])
        return self._joined(pieces)

    def _joined(self, pieces):
        encodings = [encoding for _, _, encoding in pieces]
        words = array.array("q")
        for _, before, encoding in pieces:
            words.extend(word + before for word in encoding.word_ids)
        merge = type(encodings[0]).merge
        return JoinedEncoding(
            self._finish(merge(encodings, growing_offsets=True)),
            words,
            pieces[0][0],
            self._from_the_end,
        )

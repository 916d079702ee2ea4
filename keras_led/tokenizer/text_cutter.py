"""Where a text can be cut before it is encoded.

The backend takes some 150 bytes of memory for each byte of a text, also for
what it cuts off afterwards, and ends the process where it gets no more. So a
text is cut to a little more than what is kept, and only where it is certain
that the tokens before are those of the whole text:

- at a space after a word, where the pre-tokenizer always cuts;
- else between words that the backend finds in a piece of the text, if they end
  far enough from the end of the piece;
- inside a word as long as the piece, between two symbols that are joined
  however the word goes on: see `_end_inside_word`.
"""

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.decoding import byte_values

if TYPE_CHECKING:
    import tokenizers

# Characters before the wanted end in which a space is looked for.
_SEARCHED = 512
_SPACE_AFTER_WORD = re.compile(r"[\w!-~](?=[ \t\n\r\u3000])")
_NO_SPACE = re.compile(r"\S")
# How many characters behind a word decide where it ends: 's, and white space.
_LOOK_AHEAD = 4


class TextCutter:
    """Finds places where a text can be cut without another token before them.

    Args:
        backend: `tokenizers.Tokenizer`.
        encode: callable from texts to their `tokenizers.Encoding`, uncut,
            without special tokens, whose offsets hold the space of a word.
        state: dict, the state of `SharedBackend` in which it does so.
    """

    def __init__(
        self,
        backend: "tokenizers.Tokenizer",
        encode: Callable[..., Any],
        state: dict[str, Any],
    ):
        self._backend = backend
        self._encode = encode
        self._state = state

    @functools.cached_property
    def _added(self):
        return tuple(self._backend.get_added_tokens_decoder().values())

    @functools.cached_property
    def _contents(self):
        return tuple(token.content for token in self._added)

    @functools.cached_property
    def _reach(self):
        return max(map(len, self._contents), default=0)

    @functools.cached_property
    def _needs_room(self):
        """Whether what is no token, because of what is next to it, may become
        one where the text is cut."""
        return self._state["split_special_tokens"] or any(
            token.single_word for token in self._added
        )

    def works(self, from_the_end: bool) -> bool:
        """Whether places can be found.

        Args:
            from_the_end: bool, whether what is behind a place is kept.
        """
        model = self._backend.model
        # A normalizer changes the text, and with these options a word does
        # not always have the same tokens.
        unusual = model.dropout or model.ignore_merges or model.fuse_unk
        if self._backend.normalizer is not None or unusual:
            return False
        # Every part would get a space, as a text does.
        return not (from_the_end and self._state["add_prefix_space"])

    def end(self, text: str, size: int, start: int = 0) -> tuple[int, bool]:
        """Finds the end of a part of a text.

        Args:
            text: str.
            size: int, about as many characters.
            start: int, where the part begins: 0, or the end of another one.

        Returns:
            Pair of the end, int, and a bool, whether it is inside a word. The
            tokens of `text[start:end]` are the first ones of `text[start:]`.
        """
        while start + size < len(text):
            stop = start + size
            end = self._end_at_space(text, start, stop)
            if end is None:
                end, word = self._end_of_word(text, start, stop)
                if end is None and word is not None:
                    end = self._end_inside_word(text, *word)
                    if end is not None:
                        return end, True
            if end is not None:
                return end, False
            size *= 2
        return len(text), False

    def _end_at_space(self, text, start, stop):
        found = _SPACE_AFTER_WORD.finditer(
            text, max(start, stop - _SEARCHED), stop
        )
        for match in reversed(list(found)):
            if match.end() > start and self._is_clear(text, match.end()):
                return match.end()
        return None

    def _is_clear(self, text, place):
        """Whether no added token touches a place."""
        near = text[max(0, place - self._reach) : place + self._reach]
        return not any(token in near for token in self._contents)

    def _end_of_word(self, text, start, stop):
        """Finds where a word ends in the second half of a piece of a text.

        Returns:
            Pair of the place, or `None` where one word fills that half, and
            then of the part of the word that is certain: start and stop.
        """
        (encoding,) = self._encode([text[start:stop]])
        words, offsets = encoding.word_ids, encoding.offsets
        certain = stop - self._reach - _LOOK_AHEAD
        for left in range(len(words) - 2, -1, -1):
            place = start + offsets[left + 1][0]
            if place <= (start + stop) // 2:
                break
            meet = place == start + offsets[left][1]
            if words[left] == words[left + 1] or place > certain or not meet:
                continue
            if text[place - 1].isspace():
                continue  # white space is cut otherwise at the end of a text
            if not self._needs_room or self._is_clear(text, place):
                return place, None
        if not words:
            return None, None
        begin = start + offsets[words.index(words[-1])][0]
        return None, (begin, certain)

    def _end_inside_word(self, text, start, stop):
        """Finds a place inside a word that goes on behind `stop`, or `None`.

        Joining symbols on one side of a place where two tokens of the result
        meet never depends on the other side. So the tokens of the whole word
        begin with those of `word[:end]`, for one of the ends `end` of a token
        that reaches behind a given place; and where the tokens of all of
        these meet, those of the whole word do.
        """
        if text.startswith(self._contents, start):
            return None  # an added token, with the white space behind it
        word = text[start:stop]
        symbols = _symbols(word)
        vocabulary = self._backend.get_vocab(with_added_tokens=False)
        longest = max(map(len, vocabulary))
        place = len(symbols) - longest
        if place < longest:
            return None
        ends = [
            end
            for end in range(place, len(symbols))
            if any(
                symbols[begin:end] in vocabulary
                for begin in range(end - longest, place)
            )
        ]
        common = None
        for end in ends:
            meet, at = set(), 0
            for token in self._backend.model.tokenize(symbols[:end]):
                at += len(token.value)
                meet.add(at)
            if at != end:  # bytes that the vocabulary lacks
                return None
            common = meet if common is None else common & meet
        data = word.encode("utf-8")
        for at in sorted(common or (), reverse=True):
            whole = at < len(data) and data[at] & 0xC0 != 0x80
            if not whole or not _LOOK_AHEAD < at < place:
                continue
            end = start + len(data[:at].decode("utf-8"))
            if self._is_clear(text, end) and not self._is_stripped(text, end):
                return end
        return None

    def _is_stripped(self, text, place):
        """Whether an added token may take the white space at a place."""
        if not text[place].isspace():
            return False
        behind = _NO_SPACE.search(text, place)
        return behind is not None and text.startswith(
            self._contents, behind.start()
        )


def _symbols(text):
    """The characters that stand for the bytes of a text."""
    characters = {byte: char for char, byte in byte_values().items()}
    return "".join(characters[byte] for byte in text.encode("utf-8"))

"""The encoding of a text that was read in pieces."""

import functools
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    import tokenizers


class JoinedEncoding:
    """A `tokenizers.Encoding` with the places of the whole text.

    The library counts the characters on from piece to piece, but the words of
    each from 0, and knows nothing of a beginning that was left out.

    Args:
        encoding: `tokenizers.Encoding` of all pieces, cut and with special
            tokens.
        words: sequence of int, the word of each token of the text, from the
            first one of the pieces, before any were cut.
        characters: int, characters of the text before the pieces.
        from_the_end: bool, whether the last tokens are those that are left.
    """

    def __init__(
        self,
        encoding: "tokenizers.Encoding",
        words: Any,
        characters: int,
        from_the_end: bool,
    ):
        self.encoding = encoding
        self.characters = characters
        self._words = words
        self._from_the_end = from_the_end

    def __getattr__(self, name: str) -> Any:
        if name == "encoding":  # not set yet, while a copy is made
            raise AttributeError(name)
        return getattr(self.encoding, name)

    def __len__(self) -> int:
        return len(self.encoding)

    @functools.cached_property
    def word_ids(self) -> list[int | None]:
        # What is added to a text, as `<s>`, has no word.
        found = self.encoding.word_ids
        left = len(found) - found.count(None)
        start = len(self._words) - left if self._from_the_end else 0
        words = iter(self._words[start : start + left])
        return [None if word is None else next(words) for word in found]

    @property
    def words(self) -> list[int | None]:
        return self.word_ids

    @property
    def offsets(self) -> list[tuple[int, int] | None]:
        # Nor has it a place.
        return [
            span if word is None else self._on(span)
            for span, word in zip(
                self.encoding.offsets, self.encoding.word_ids, strict=True
            )
        ]

    def token_to_chars(self, token: int) -> tuple[int, int] | None:
        return self._on(self.encoding.token_to_chars(token))

    def token_to_word(self, token: int) -> int | None:
        words = self.word_ids
        return words[token] if 0 <= token < len(words) else None

    def word_to_tokens(
        self, word: int, sequence: int = 0
    ) -> tuple[int, int] | None:
        words = self.word_ids
        if sequence or word not in words:
            return None
        first = words.index(word)
        return first, len(words) - words[::-1].index(word)

    def word_to_chars(
        self, word: int, sequence: int = 0
    ) -> tuple[int, int] | None:
        tokens = self.word_to_tokens(word, sequence)
        if tokens is None:
            return None
        first, last = map(self.token_to_chars, (tokens[0], tokens[1] - 1))
        return first[0], last[1]  # pyright: ignore[reportOptionalSubscript]

    def char_to_token(self, char: int, sequence: int = 0) -> int | None:
        char -= self.characters
        return (
            self.encoding.char_to_token(char, sequence) if char >= 0 else None
        )

    def char_to_word(self, char: int, sequence: int = 0) -> int | None:
        token = self.char_to_token(char, sequence)
        return None if token is None else self.token_to_word(token)

    def _on(self, span):
        if span is None:
            return None
        return span[0] + self.characters, span[1] + self.characters

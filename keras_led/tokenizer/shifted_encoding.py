"""The encoding of the end of a text, with the places of the whole text."""

from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    import tokenizers


class ShiftedEncoding:
    """A `tokenizers.Encoding` whose characters and words count from further on.

    Args:
        encoding: `tokenizers.Encoding` of the end of a single text.
        characters: int, characters of the text before it.
        words: int, words of the text before it.
    """

    def __init__(
        self, encoding: "tokenizers.Encoding", characters: int, words: int
    ):
        self.encoding = encoding
        self.characters = characters
        self.words_before = words

    def __getattr__(self, name: str) -> Any:
        if name == "encoding":  # not set yet, while a copy is made
            raise AttributeError(name)
        return getattr(self.encoding, name)

    def __len__(self) -> int:
        return len(self.encoding)

    @property
    def word_ids(self) -> list[int | None]:
        return [
            None if word is None else word + self.words_before
            for word in self.encoding.word_ids
        ]

    words = word_ids

    @property
    def offsets(self) -> list[tuple[int, int] | None]:
        # What is added to a text, as `<s>`, has no place in it.
        return [
            span if word is None else self._on(span)
            for span, word in zip(
                self.encoding.offsets, self.encoding.word_ids, strict=True
            )
        ]

    def token_to_chars(self, token: int) -> tuple[int, int] | None:
        return self._on(self.encoding.token_to_chars(token))

    def token_to_word(self, token: int) -> int | None:
        word = self.encoding.token_to_word(token)
        return None if word is None else word + self.words_before

    def word_to_chars(
        self, word: int, sequence: int = 0
    ) -> tuple[int, int] | None:
        return self._on(self._of_word("word_to_chars", word, sequence))

    def word_to_tokens(
        self, word: int, sequence: int = 0
    ) -> tuple[int, int] | None:
        return self._of_word("word_to_tokens", word, sequence)

    def char_to_token(self, char: int, sequence: int = 0) -> int | None:
        return self._of_char("char_to_token", char, sequence)

    def char_to_word(self, char: int, sequence: int = 0) -> int | None:
        word = self._of_char("char_to_word", char, sequence)
        return None if word is None else word + self.words_before

    def _on(self, span):
        if span is None:
            return None
        return span[0] + self.characters, span[1] + self.characters

    def _of_word(self, method, word, sequence):
        word -= self.words_before
        if word < 0:
            return None
        return getattr(self.encoding, method)(word, sequence)

    def _of_char(self, method, char, sequence):
        char -= self.characters
        if char < 0:
            return None
        return getattr(self.encoding, method)(char, sequence)

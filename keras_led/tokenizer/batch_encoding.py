"""What the tokenizer returns: a dict that also knows where tokens lie."""

from collections.abc import Mapping
from typing import Any
from typing import NamedTuple
from typing import Self

from keras_led.backend_pytrees import register_pytree
from keras_led.tokenizer.tensors import check_kind
from keras_led.tokenizer.tensors import kind_of
from keras_led.tokenizer.tensors import to_tensor


class CharSpan(NamedTuple):
    """Characters `start` (inclusive) to `end` (exclusive) of a text."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens `start` (inclusive) to `end` (exclusive) of a row."""

    start: int
    end: int


@register_pytree
class BatchEncoding(dict[str, Any]):
    """Encoded texts: a dict whose keys are also attributes.

    `encoding["input_ids"]` and `encoding.input_ids` are the same. With arrays
    in it, `fit`, `evaluate` and `predict` take it as it is. When it comes
    from a call of the tokenizer, an int key gives the `tokenizers.Encoding` of
    that row, and the methods below translate between characters, words and
    tokens. They take `(row, index)`, or `index` alone when there is one row;
    `sequence_index` says which text of a pair is meant, 0 or 1.

    Args:
        data: dict of lists or arrays.
        encodings: `tokenizers.Encoding` or list of them, one a row, or `None`.
        tensor_type: str, "np", "tf", "pt" or "jax" to turn the lists into
            arrays, or `None`.
        prepend_batch_axis: bool, whether to add a batch axis on the way.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        encodings: Any = None,
        tensor_type: str | None = None,
        prepend_batch_axis: bool = False,
    ):
        super().__init__(data or {})
        if encodings is not None and not isinstance(encodings, list | tuple):
            encodings = [encodings]
        self.__dict__["_encodings"] = encodings
        self.convert_to_tensors(tensor_type, prepend_batch_axis)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return dict.__getitem__(self, name)
        raise AttributeError(
            f"This encoding has no {name!r}. It has {', '.join(self)}."
        )

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __getitem__(self, key: str | int | slice) -> Any:
        if isinstance(key, str):
            return super().__getitem__(key)
        if self._encodings is not None and isinstance(key, int | slice):
            return self._encodings[key]
        if isinstance(key, slice):
            return {name: value[key] for name, value in self.items()}
        raise KeyError(key)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self._encodings)

    @property
    def data(self) -> dict[str, Any]:
        """The content as a plain dict."""
        return dict(self)

    @property
    def encodings(self) -> list[Any] | None:
        """List of `tokenizers.Encoding`, one a row, or `None`."""
        return self._encodings

    @property
    def is_fast(self) -> bool:
        """Whether the methods that need `encodings` work."""
        return self._encodings is not None

    @property
    def n_sequences(self) -> int | None:
        """1 for single texts, 2 for pairs, `None` when not known."""
        return self._encodings[0].n_sequences if self._encodings else None

    def convert_to_tensors(
        self, tensor_type: str | None = None, prepend_batch_axis: bool = False
    ) -> Self:
        """Turns the lists into arrays, in place.

        Args:
            tensor_type: str, "np", "tf", "pt" or "jax"; `None` does nothing.
            prepend_batch_axis: bool, whether to add a batch axis in front.

        Returns:
            This object.

        Raises:
            ValueError: If the rows of an entry differ in length.
            ImportError: If the library is not installed.
        """
        if tensor_type is None:
            return self
        check_kind(tensor_type)
        tensors = {
            name: to_tensor(
                name, [value] if prepend_batch_axis else value, tensor_type
            )
            for name, value in self.items()
        }
        self.update(tensors)
        return self

    def to(self, device: Any, non_blocking: bool = False) -> Self:
        """Moves the tensors of PyTorch to a device, in place.

        Args:
            device: str, int or `torch.device`. Arrays of other libraries, and
                lists, stay where they are.
            non_blocking: bool, as in `torch.Tensor.to`.

        Returns:
            This object.

        Raises:
            TypeError: If `device` is something else, such as a dtype.
        """
        if (
            not isinstance(device, str | int)
            and type(device).__name__ != "device"
        ):
            raise TypeError(
                "`device` must be a str, an int or a torch.device. Received: "
                f"device={device!r}."
            )
        for name, value in self.items():
            if kind_of(value) == "pt":
                self[name] = value.to(device, non_blocking=non_blocking)
        return self

    def tokens(self, batch_index: int = 0) -> list[str]:
        """Returns the tokens of a row, as strings."""
        return self._row(batch_index).tokens

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """Returns the word of each token of a row; `None` for special ones."""
        return self._row(batch_index).word_ids

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """Returns the text (0 or 1) of each token; `None` for special ones."""
        return self._row(batch_index).sequence_ids

    def token_to_sequence(
        self, batch_or_token_index: int, token_index: int | None = None
    ) -> int | None:
        """Returns the text (0 or 1) that a token comes from, or `None`."""
        row, token = self._locate(batch_or_token_index, token_index)
        return row.token_to_sequence(_from_end(token, row))

    def token_to_word(
        self, batch_or_token_index: int, token_index: int | None = None
    ) -> int | None:
        """Returns the word that a token belongs to, or `None`."""
        row, token = self._locate(batch_or_token_index, token_index)
        return row.token_to_word(_from_end(token, row))

    def token_to_chars(
        self, batch_or_token_index: int, token_index: int | None = None
    ) -> CharSpan | None:
        """Returns the `CharSpan` of a token, or `None` for a special one."""
        row, token = self._locate(batch_or_token_index, token_index)
        return _span(CharSpan, row.token_to_chars(_from_end(token, row)))

    def word_to_tokens(
        self,
        batch_or_word_index: int,
        word_index: int | None = None,
        sequence_index: int = 0,
    ) -> TokenSpan | None:
        """Returns the `TokenSpan` of a word, or `None`."""
        row, word = self._locate(batch_or_word_index, word_index)
        return _span(TokenSpan, row.word_to_tokens(word, sequence_index))

    def word_to_chars(
        self,
        batch_or_word_index: int,
        word_index: int | None = None,
        sequence_index: int = 0,
    ) -> CharSpan | None:
        """Returns the `CharSpan` of a word, or `None`."""
        row, word = self._locate(batch_or_word_index, word_index)
        return _span(CharSpan, row.word_to_chars(word, sequence_index))

    def char_to_token(
        self,
        batch_or_char_index: int,
        char_index: int | None = None,
        sequence_index: int = 0,
    ) -> int | None:
        """Returns the token that holds a character, or `None`."""
        row, char = self._locate(batch_or_char_index, char_index)
        return row.char_to_token(char, sequence_index)

    def char_to_word(
        self,
        batch_or_char_index: int,
        char_index: int | None = None,
        sequence_index: int = 0,
    ) -> int | None:
        """Returns the word that holds a character, or `None`."""
        row, char = self._locate(batch_or_char_index, char_index)
        return row.char_to_word(char, sequence_index)

    def _row(self, index):
        if not self._encodings:
            raise ValueError(
                "This encoding does not know where its tokens lie: only what a "
                "call of the tokenizer returns does, and no copy of it."
            )
        return self._encodings[index]

    def _locate(self, batch_or_index, index):
        """Reads `(row, index)` or `(index,)`; returns (Encoding, index)."""
        if index is not None:
            return self._row(batch_or_index), index
        row = self._row(0)
        if len(self._encodings) > 1:
            raise ValueError(
                "The row must be named when there are several. Received: one "
                f"index, {batch_or_index}, for {len(self._encodings)} rows. "
                "Pass `(row, index)`."
            )
        return row, batch_or_index


def _from_end(token, row):
    return token + len(row) if token < 0 else token


def _span(kind, span):
    return None if span is None else kind(*span)

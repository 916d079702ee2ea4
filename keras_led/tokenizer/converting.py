"""The methods of the tokenizer that turn ids, tokens and text into another."""

from collections.abc import Iterable
from typing import Any

from keras_led.argument_checks import check_list
from keras_led.tokenizer.decoding import decode_ids
from keras_led.tokenizer.decoding import read_ids
from keras_led.tokenizer.decoding import tokens_to_text


class TokenizerConversions:
    """The part of a tokenizer that decodes, looks up, and lays out ids.

    A subclass has `_backend`, a `tokenizers.Tokenizer`, and its special tokens.
    """

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = False,
    ) -> Any:
        """Turns ids back into text.

        Args:
            token_ids: int, list of int, or array; lists of lists and arrays
                of shape `(B, L)` are a batch.
            skip_special_tokens: bool.
            clean_up_tokenization_spaces: bool, whether to remove spaces before
                punctuation, which byte-level BPE does not add by itself.
                Defaults to the tokenizer's.
            spaces_between_special_tokens: bool, whether to put a space between
                added tokens, which special ones are, and the text beside.

        Returns:
            str; list of str for a batch.

        Raises:
            ValueError: If an id is negative.
        """
        if clean_up_tokenization_spaces is None:
            clean_up_tokenization_spaces = self.clean_up_tokenization_spaces
        ids = read_ids("token_ids", token_ids)
        ids = ids if isinstance(ids, list) else [ids]
        is_batch = any(isinstance(row, list) for row in ids)
        texts = [
            decode_ids(
                self,  # pyright: ignore[reportArgumentType]
                row,
                skip_special_tokens,
                clean_up_tokenization_spaces,
                spaces_between_special_tokens,
            )
            for row in (ids if is_batch else [ids])
        ]
        return texts if is_batch else texts[0]

    def batch_decode(self, sequences: Any, **options: Any) -> list[str]:
        """Turns rows of ids back into texts.

        Args:
            sequences: list of lists of int, or array of shape `(B, L)`.
            **options: of `decode`.

        Returns:
            List of str.
        """
        texts = self.decode(sequences, **options) if len(sequences) else []
        return [texts] if isinstance(texts, str) else texts

    def convert_tokens_to_ids(self, tokens: str | Iterable[str]) -> Any:
        """Looks up tokens; one that is not there gets `unk_token_id`.

        Args:
            tokens: str, or list of str.

        Returns:
            int, or list of int.
        """
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        index = self._backend.token_to_id(tokens)
        if index is None and self.unk_token is not None:
            index = self._backend.token_to_id(self.unk_token)
        return index

    def convert_ids_to_tokens(
        self, ids: int | Iterable[int], skip_special_tokens: bool = False
    ) -> Any:
        """Looks up ids; one that is not there gives `None`.

        Args:
            ids: int, list of int, or array of one axis.
            skip_special_tokens: bool, whether to leave special tokens out.

        Returns:
            str, or list of str.
        """
        ids = read_ids("ids", ids)
        if not isinstance(ids, list):
            return self._backend.id_to_token(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        return [
            self._backend.id_to_token(index)
            for index in ids
            if index not in skipped
        ]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Joins tokens (list of str) to the text they stand for."""
        return tokens_to_text(self, check_list("tokens", tokens, "str"))  # pyright: ignore[reportArgumentType]

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Puts `<s> A </s>` or `<s> A </s></s> B </s>` together.

        Args:
            token_ids_0: list of int, without special tokens.
            token_ids_1: list of int, the second text, or `None`.

        Returns:
            List of int.
        """
        self.check_marks()
        start, end = [self.cls_token_id], [self.sep_token_id]
        ids = start + check_list("token_ids_0", token_ids_0, "int") + end
        if token_ids_1 is None:
            return ids
        return ids + end + check_list("token_ids_1", token_ids_1, "int") + end

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Returns zeros, one for each token with the special ones.

        Args:
            token_ids_0: list of int, without special tokens.
            token_ids_1: list of int, the second text, or `None`.

        Returns:
            List of int.
        """
        ids = self.build_inputs_with_special_tokens(token_ids_0, token_ids_1)
        return [0] * len(ids)

    def get_special_tokens_mask(
        self,
        token_ids_0: list[int],
        token_ids_1: list[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """Marks the special tokens of a row with 1, the others with 0.

        Args:
            token_ids_0: list of int.
            token_ids_1: list of int, the second text, or `None`.
            already_has_special_tokens: bool, whether `token_ids_0` is a
                complete row, rather than a text to which they will be added.

        Returns:
            List of int.

        Raises:
            ValueError: If a complete row is given together with a second text.
        """
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise ValueError(
                    "`token_ids_1` must be None with "
                    "`already_has_special_tokens=True`: the row is complete. "
                    f"Received: token_ids_1 of {len(token_ids_1)} ids."
                )
            special = set(self.all_special_ids)
            return [int(i in special) for i in read_ids("ids", token_ids_0)]
        mask = [1] + [0] * len(token_ids_0) + [1]
        if token_ids_1 is None:
            return mask
        return mask + [1] + [0] * len(token_ids_1) + [1]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Returns how many special tokens a text, or a pair, gets."""
        return 4 if pair else 2

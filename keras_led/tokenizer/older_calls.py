"""Methods that scripts for older versions of transformers call."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from keras_led.tokenizer.decoding import read_ids
from keras_led.tokenizer.options import resolve_lengths
from keras_led.tokenizer.padding import pad_inputs
from keras_led.tokenizer.special_tokens import SPECIAL_TOKEN_NAMES
from keras_led.tokenizer.tensors import check_kind

if TYPE_CHECKING:
    from keras_led.tokenizer.batch_encoding import BatchEncoding


class OlderCalls:
    """The part of a tokenizer that transformers 4 had beside its call."""

    @property
    def is_fast(self) -> bool:
        """Whether offsets and `word_ids` are there: always."""
        return True

    @property
    def max_len_single_sentence(self) -> int:
        """Longest text, in tokens, beside its special tokens."""
        return self.model_max_length - self.num_special_tokens_to_add()

    @property
    def max_len_sentences_pair(self) -> int:
        """Longest pair of texts, in tokens, beside its special tokens."""
        return self.model_max_length - self.num_special_tokens_to_add(True)

    @property
    def init_kwargs(self) -> dict[str, Any]:
        """dict of the constructor's arguments beside the vocabulary, and of
        what else the files of a saved tokenizer say."""
        named = {name: getattr(self, name) for name in SPECIAL_TOKEN_NAMES}
        return {
            **self.unknown_settings,
            **self.settings(),
            **named,
            "additional_special_tokens": self.additional_special_tokens,
            "name_or_path": self.name_or_path,
        }

    @contextlib.contextmanager
    def as_target_tokenizer(self) -> Iterator[Self]:
        """Gives this tokenizer, which reads targets as it reads documents.

        `tokenizer(text_target=...)` says the same in one call.
        """
        yield self

    def prepare_seq2seq_batch(
        self,
        src_texts: list[str],
        tgt_texts: list[str] | None = None,
        max_length: int | None = None,
        max_target_length: int | None = None,
        padding: bool | str = "longest",
        return_tensors: str | None = None,
        truncation: bool | str = True,
        **options: Any,
    ) -> "BatchEncoding":
        """Encodes documents, and the texts to produce as `labels`.

        Args:
            src_texts: list of str, documents.
            tgt_texts: list of str, their targets, or `None`.
            max_length: int, longest document, in tokens.
            max_target_length: int, longest target. Defaults to `max_length`.
            padding: as in a call.
            return_tensors: as in a call.
            truncation: as in a call.
            **options: of a call.

        Returns:
            A `BatchEncoding`. Labels are filled up with the pad token: set
            those to -100 before a loss sees them.
        """
        return self(  # pyright: ignore[reportCallIssue]
            src_texts,
            text_target=tgt_texts,
            max_length=max_length,
            max_target_length=max_target_length,
            padding=padding,
            return_tensors=return_tensors,
            truncation=truncation,
            **options,
        )

    def prepare_for_model(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        prepend_batch_axis: bool = False,
    ) -> "BatchEncoding":
        """Makes a row of one or two texts that are ids already.

        Args:
            ids: list of int, without special tokens, as
                `convert_tokens_to_ids` gives them.
            pair_ids: list of int, the second text, or `None`.
            add_special_tokens: as in a call, and so are the next ones.
            padding: see above.
            truncation: see above.
            max_length: see above.
            stride: int, tokens of the row that `overflowing_tokens` repeats.
            pad_to_multiple_of: as in a call, and so are the next ones.
            padding_side: see above.
            return_tensors: see above.
            return_token_type_ids: see above.
            return_attention_mask: see above.
            return_overflowing_tokens: bool, whether to return what was cut
                off of a text as `overflowing_tokens`, and how much as
                `num_truncated_tokens`. Not where "longest_first" cuts a pair.
            return_special_tokens_mask: as in a call.
            return_length: as in a call.
            verbose: bool, whether to warn.
            prepend_batch_axis: bool, whether arrays get a batch axis.

        Returns:
            A `BatchEncoding`.

        Raises:
            ValueError: If the text that is cut is too short.
        """
        check_kind(return_tensors)
        lengths = resolve_lengths(
            self,  # pyright: ignore[reportArgumentType]
            padding,
            truncation,
            max_length,
            pad_to_multiple_of,
            padding_side,
            verbose,
        )
        texts = [read_ids("ids", ids)]
        if pair_ids is not None:
            texts.append(read_ids("pair_ids", pair_ids))
        special = 0
        if add_special_tokens:
            special = self.num_special_tokens_to_add(len(texts) == 2)
        surplus = 0
        if lengths.truncates:
            total = sum(map(len, texts)) + special
            surplus = max(0, total - lengths.max_length)  # pyright: ignore[reportOperatorIssue]
        texts, overflow = _cut(
            texts, surplus, lengths.truncation, self.truncation_side, stride
        )
        mask = [0] * sum(map(len, texts))
        row = [index for text in texts for index in text]
        if add_special_tokens:
            row = self.build_inputs_with_special_tokens(*texts)
            mask = self.get_special_tokens_mask(*texts)
        data = {}
        if return_overflowing_tokens:
            data["overflowing_tokens"] = overflow
            data["num_truncated_tokens"] = surplus
        data[self.model_input_names[0]] = row
        if return_token_type_ids or (
            return_token_type_ids is None
            and "token_type_ids" in self.model_input_names
        ):
            data["token_type_ids"] = [0] * len(row)
        if return_special_tokens_mask:
            data["special_tokens_mask"] = mask
        made = pad_inputs(self, data, lengths, return_attention_mask, None)  # pyright: ignore[reportArgumentType]
        if return_length:
            made["length"] = len(made[self.model_input_names[0]])
        return made.convert_to_tensors(return_tensors, prepend_batch_axis)


def _cut(texts, surplus, strategy, side, stride):
    """Cuts tokens off one or two texts.

    Returns:
        Pair of the texts that are left, and what was cut off, with `stride`
        more tokens; an empty list where both texts lose some.
    """
    texts = list(texts)
    if not surplus:
        return texts, []
    if strategy == "longest_first" and len(texts) == 2:
        sizes = [len(text) for text in texts]
        for _ in range(surplus):
            sizes[sizes[1] >= sizes[0]] -= 1
        texts = [_keep(t, n, side) for t, n in zip(texts, sizes, strict=True)]
        return texts, []
    index = 1 if strategy == "only_second" else 0
    if index >= len(texts) or len(texts[index]) <= surplus:
        raise ValueError(
            f"`truncation={strategy!r}` must leave something of the text that "
            f"it cuts. Received: {surplus} tokens too many. Pass a larger "
            "`max_length`, or another `truncation`."
        )
    text = texts[index]
    overflow = min(len(text), stride + surplus)
    cut = text[:overflow] if side == "left" else text[-overflow:]
    texts[index] = _keep(text, len(text) - surplus, side)
    return texts, cut


def _keep(text, size, side):
    return text[len(text) - size :] if side == "left" else text[:size]

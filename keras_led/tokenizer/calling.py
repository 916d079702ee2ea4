"""The methods of the tokenizer that turn text into rows of ids."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_led.argument_checks import reject_unknown
from keras_led.tokenizer.encoding import EncodeOptions
from keras_led.tokenizer.encoding import encode
from keras_led.tokenizer.long_texts import encode_long
from keras_led.tokenizer.options import check_side
from keras_led.tokenizer.options import resolve_lengths
from keras_led.tokenizer.padding import pad_inputs
from keras_led.tokenizer.tensors import check_kind
from keras_led.tokenizer.text_cutter import TextCutter
from keras_led.typing import Texts

if TYPE_CHECKING:
    from keras_led.tokenizer.batch_encoding import BatchEncoding

_CALL_OPTIONS = (
    "text",
    "text_pair",
    "text_target",
    "text_pair_target",
    "add_special_tokens",
    "padding",
    "truncation",
    "max_length",
    "stride",
    "is_split_into_words",
    "pad_to_multiple_of",
    "padding_side",
    "return_tensors",
    "return_token_type_ids",
    "return_attention_mask",
    "return_overflowing_tokens",
    "return_special_tokens_mask",
    "return_offsets_mapping",
    "return_length",
    "verbose",
    "add_prefix_space",
    "split_special_tokens",
    "max_target_length",
    "pad_to_max_length",
)


class TokenizerCalls:
    """The part of a tokenizer that encodes texts and pads rows of ids."""

    add_prefix_space: bool
    clean_up_tokenization_spaces: bool
    errors: str
    model_max_length: int
    name_or_path: str
    padding_side: str
    split_special_tokens: bool
    trim_offsets: bool
    truncation_side: str

    def __call__(
        self,
        text: Texts | None = None,
        text_pair: Texts | None = None,
        text_target: Texts | None = None,
        text_pair_target: Texts | None = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        *,
        add_prefix_space: bool | None = None,
        split_special_tokens: bool | None = None,
        max_target_length: int | None = None,
        pad_to_max_length: bool = False,
        **unknown: Any,
    ) -> "BatchEncoding":
        """Encodes one or more texts, or pairs of texts.

        Args:
            text: str, or list of str for a batch; with `is_split_into_words`
                a list of words, or a list of such lists. Rows of a batch may
                be pairs, `(first, second)`.
            text_pair: the second texts, in the form of `text`. An empty str
                is a text too.
            text_target: the texts to produce, in the form of `text`. Beside
                `text`, their ids become `labels`.
            text_pair_target: the second texts of `text_target`.
            add_special_tokens: bool, whether to write `<s> A </s>`, or
                `<s> A </s></s> B </s>`.
            padding: `True` or "longest" fills up to the longest row,
                "max_length" to `max_length`, `False` not at all.
            truncation: `True` or "longest_first" cuts the longer text of a
                pair first, "only_first" and "only_second" just that text,
                `False` none. `None` is `True` when there is a `max_length` and
                no padding, else `False`.
            max_length: int, in tokens, special ones included. Defaults to
                `model_max_length` where it is needed.
            stride: int, tokens that a cut-off part repeats.
            is_split_into_words: bool, whether texts are lists of words. Each
                word gets a space in front.
            pad_to_multiple_of: int, rounds the padded length up.
            padding_side: "right" or "left". Defaults to the tokenizer's.
            return_tensors: "np", "tf", "pt" or "jax" for arrays; `None` for
                lists. A single text then gets a batch axis.
            return_token_type_ids: bool, whether to return `token_type_ids`,
                which for LED are all 0.
            return_attention_mask: bool. Defaults to yes.
            return_overflowing_tokens: bool, whether to return the cut-off
                parts as further rows, and `overflow_to_sample_mapping`.
            return_special_tokens_mask: bool; 1 marks a special token.
            return_offsets_mapping: bool, whether to return
                `offset_mapping`, the characters (start, end) of each token.
            return_length: bool, whether to return `length`, in tokens.
            verbose: bool, whether to warn.
            add_prefix_space: bool, whether to put a space before the text.
                Defaults to the tokenizer's.
            split_special_tokens: bool, whether "<s>" in a text is plain
                characters. Defaults to the tokenizer's.
            max_target_length: int, `max_length` of the target texts.
            pad_to_max_length: bool, the old name of `padding="max_length"`,
                under which `max_length` cuts, too.
            **unknown: nothing; a misspelt name raises.

        Returns:
            A `BatchEncoding` with `input_ids`, `attention_mask` and what else
            was asked for: lists of int, or arrays of shape `(B, L)`.

        Raises:
            TypeError: If an input is no text, or an argument is unknown.
            ValueError: If the arguments contradict each other.
            ImportError: If the library of `return_tensors` is missing.
        """
        reject_unknown("LEDTokenizer()", unknown, _CALL_OPTIONS)
        check_kind(return_tensors)
        if text is None and text_target is None:
            raise ValueError(
                "`text` or `text_target` must be given. Received: neither."
            )
        if pad_to_max_length and padding is False:
            padding = "max_length"
            if truncation is None and max_length is not None:
                truncation = True
        defaults = self.model_input_names
        if return_token_type_ids is None:
            return_token_type_ids = "token_type_ids" in defaults
        if return_attention_mask is None:
            return_attention_mask = "attention_mask" in defaults
        if add_prefix_space is None:
            add_prefix_space = self.add_prefix_space
        if split_special_tokens is None:
            split_special_tokens = self.split_special_tokens

        def options(max_length):
            return EncodeOptions(
                lengths=resolve_lengths(
                    self,  # pyright: ignore[reportArgumentType]
                    padding,
                    truncation,
                    max_length,
                    pad_to_multiple_of,
                    padding_side,
                    verbose,
                ),
                add_special_tokens=add_special_tokens,
                add_prefix_space=add_prefix_space or is_split_into_words,
                split_special_tokens=split_special_tokens,
                stride=stride,
                is_split_into_words=is_split_into_words,
                # Cut-off parts are rows of their own, and arrays have one
                # more axis than a row.
                batch_axis=bool(return_overflowing_tokens or return_tensors),
                return_token_type_ids=return_token_type_ids,
                return_attention_mask=return_attention_mask,
                return_overflowing_tokens=return_overflowing_tokens,
                return_special_tokens_mask=return_special_tokens_mask,
                return_offsets_mapping=return_offsets_mapping,
                return_length=return_length,
                verbose=verbose,
            )

        result = target = None
        if text is not None:
            result = encode(self, text, text_pair, options(max_length))  # pyright: ignore[reportArgumentType]
        if text_target is not None:
            target = encode(
                self,  # pyright: ignore[reportArgumentType]
                text_target,
                text_pair_target,
                options(max_target_length or max_length),
                names=("text_target", "text_pair_target"),
            )
        if result is None:
            result = target
        elif target is not None:
            result["labels"] = target["input_ids"]
        return result.convert_to_tensors(return_tensors)

    def encode(self, text: Any, text_pair: Any = None, **options: Any) -> Any:
        """Encodes one text or pair; returns its ids.

        Args:
            text: str, or list of words with `is_split_into_words`.
            text_pair: the second text, or `None`.
            **options: of calling the tokenizer.

        Returns:
            List of int; an array of shape `(1, L)` with `return_tensors`.
        """
        return self(text, text_pair, **options)["input_ids"]

    def encode_plus(
        self, text: Texts, text_pair: Texts | None = None, **options: Any
    ) -> "BatchEncoding":
        """Calls the tokenizer; the old name for one text or pair."""
        return self(text, text_pair, **options)

    def batch_encode_plus(
        self, batch_text_or_text_pairs: Sequence[Any], **options: Any
    ) -> "BatchEncoding":
        """Calls the tokenizer; the old name for a list of texts or pairs."""
        if not isinstance(batch_text_or_text_pairs, list | tuple):
            raise TypeError(
                "`batch_text_or_text_pairs` must be a list. Received: "
                f"{type(batch_text_or_text_pairs).__name__}."
            )
        return self(batch_text_or_text_pairs, **options)

    def tokenize(
        self,
        text: str,
        pair: str | None = None,
        add_special_tokens: bool = False,
        **options: Any,
    ) -> list[str]:
        """Cuts one text or pair into tokens.

        Args:
            text: str, or list of words with `is_split_into_words`.
            pair: the second text, or `None`.
            add_special_tokens: bool.
            **options: of calling the tokenizer.

        Returns:
            List of str. "Ġ" stands for a space.
        """
        options["add_special_tokens"] = add_special_tokens
        return self.convert_ids_to_tokens(self.encode(text, pair, **options))

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> "BatchEncoding":
        """Fills up inputs that are encoded already.

        `input_ids` are filled up with the pad token, `attention_mask` with 0,
        `global_attention_mask` with -1, `special_tokens_mask` with 1 and
        `token_type_ids` with 0, all on one side. Other entries stay as they
        are. Nothing is cut.

        Args:
            encoded_inputs: what the tokenizer returned, or a list of such
                dicts, for one row each. Arrays are fine too.
            padding: as in a call.
            max_length: as in a call.
            pad_to_multiple_of: as in a call.
            padding_side: as in a call.
            return_attention_mask: bool, whether to make an `attention_mask`
                where there is none. Defaults to yes.
            return_tensors: as in a call. `None` gives what came in: arrays
                for arrays, lists for lists.
            verbose: bool, whether to warn.

        Returns:
            A new `BatchEncoding`.

        Raises:
            TypeError: If `encoded_inputs` holds no dicts.
            ValueError: If it has no `input_ids`, or entries of other lengths.
        """
        check_kind(return_tensors)
        lengths = resolve_lengths(
            self,  # pyright: ignore[reportArgumentType]
            padding,
            False,
            max_length,
            pad_to_multiple_of,
            padding_side,
            verbose,
        )
        return pad_inputs(
            self,  # pyright: ignore[reportArgumentType]
            encoded_inputs,
            lengths,
            return_attention_mask,
            return_tensors,  # pyright: ignore[reportArgumentType]
        )

    def run_backend(self, rows: list[Any], options: EncodeOptions) -> list[Any]:
        """Encodes rows as `options` say; used by `encoding.encode`.

        Args:
            rows: list of texts or tuples of two.
            options: `EncodeOptions`.

        Returns:
            List of `tokenizers.Encoding`, cut but not padded.
        """
        truncation = None
        if options.lengths.truncates:
            overflows = options.return_overflowing_tokens
            side = check_side("truncation_side", self.truncation_side)
            truncation = {
                "max_length": int(options.lengths.max_length),  # pyright: ignore[reportArgumentType]
                # Without the cut-off parts a stride changes nothing.
                "stride": options.stride if overflows else 0,
                "strategy": options.lengths.truncation,
                "direction": side,
            }
        state = self._backend_state()
        state["add_prefix_space"] = bool(options.add_prefix_space)
        state["split_special_tokens"] = bool(options.split_special_tokens)

        def run(rows):
            return self._shared_backend.encode(
                rows,
                {**state, "truncation": truncation},
                is_pretokenized=options.is_split_into_words,
                add_special_tokens=options.add_special_tokens,
            )

        def run_uncut(texts):
            # With the space of a word in its offsets, and nothing cut.
            whole_words = {**state, "trim_offsets": False}
            return self._shared_backend.encode(texts, whole_words)

        def finish(encoding):
            return self._shared_backend.finish(
                encoding,
                {**state, "truncation": truncation},
                add_special_tokens=options.add_special_tokens,
            )

        if options.return_overflowing_tokens:
            return run(rows)
        cutter = TextCutter(self._backend, run_uncut, state)
        return encode_long(rows, run, run_uncut, finish, cutter, truncation)

    def warn_once(self, key: str, message: str) -> None:
        """Warns of something the first time that this tokenizer meets it."""
        if key not in self._warned:
            self._warned.add(key)
            warnings.warn(message, stacklevel=5)

    def _backend_state(self):
        """Returns the state that the tokenizer's own settings ask for."""
        return {
            "sep": (self.sep_token, self.sep_token_id),
            "cls": (self.cls_token, self.cls_token_id),
            "trim_offsets": bool(self.trim_offsets),
            "add_prefix_space": bool(self.add_prefix_space),
            "split_special_tokens": bool(self.split_special_tokens),
            "truncation": None,
        }

"""Byte-level BPE inside a TensorFlow graph: text to ids and back.

The merging is KerasHub's; what this adds is that a word is merged once for each
batch and nothing is kept between requests, where KerasHub remembers every word
it has ever seen, without bound.
"""

import json
from typing import TYPE_CHECKING
from typing import Any

import tensorflow as tf

from keras_led.serving.added_tokens import TEXT
from keras_led.serving.added_tokens import AddedTokens
from keras_led.serving.byte_pairs import byte_pair_merger
from keras_led.serving.words import split_words
from keras_led.tokenizer.decoding import CLEAN_UPS
from keras_led.tokenizer.decoding import byte_values
from keras_led.tokenizer.decoding import skipped_ids
from keras_led.tokenizer.decoding import token_bytes
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

# What `str.strip` removes.
_STRIPPED = r"[\t-\r\x1c-\x20\x{85}\pZ]+"
_OUTER_SPACE = f"^{_STRIPPED}|{_STRIPPED}$"


class GraphTokenizer(tf.Module):
    """What `LEDTokenizer` does, as TensorFlow operations.

    Known difference: NUL characters are dropped, which end a string for some of
    TensorFlow's operations.

    Args:
        tokenizer: `LEDTokenizer`.
        limit: int, longest document, in tokens.

    Raises:
        ValueError: If the tokenizer has a setting that a graph cannot follow;
            it is named.
    """

    pad_token_id: int | None
    cls_token_id: int | None
    sep_token_id: int | None
    add_prefix_space: bool
    keeps_the_end: bool
    clean_up: bool
    added: AddedTokens
    symbols: Any
    ids: Any
    bytes: Any
    ranks: Any

    def __init__(self, tokenizer: "LEDTokenizer", limit: int):
        super().__init__(name="tokenizer")
        model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
        _check(tokenizer, model)
        self.limit = limit
        self.pad_token_id = tokenizer.pad_token_id
        self.cls_token_id = tokenizer.cls_token_id
        self.sep_token_id = tokenizer.sep_token_id
        self.add_prefix_space = tokenizer.add_prefix_space
        self.keeps_the_end = tokenizer.truncation_side == "left"
        self.clean_up = tokenizer.clean_up_tokenization_spaces
        self.added = AddedTokens(
            tokenizer.added_tokens_decoder, tokenizer.split_special_tokens
        )
        vocabulary = tokenizer.get_vocab()
        special = skipped_ids(tokenizer)
        self.symbols = _table(
            {bytes([byte]): char for char, byte in byte_values().items()}, ""
        )
        unknown = model["unk_token"]
        self.ids = _table(
            model["vocab"], TEXT if unknown is None else vocabulary[unknown]
        )
        self.bytes = _table(
            {
                index: token_bytes(token)
                for token, index in vocabulary.items()
                if index not in special
            },
            "",
        )
        # Of KerasHub's tables, those that are used go into the export.
        self.ranks, self._merge = byte_pair_merger(
            model["vocab"], model["merges"]
        )

    def encode(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Tokenizes texts as documents.

        Args:
            texts: String tensor of shape `(B,)`, UTF-8.

        Returns:
            Int32 tensors of shape `(B, L)`: ids `<s> ... </s>`, cut to the
            limit and padded to the longest, and the attention mask.
        """
        ids = self._tokens(tf.strings.regex_replace(texts, r"\x00", ""))
        room = self.limit - 2
        ids = ids[:, -room:] if self.keeps_the_end else ids[:, :room]
        column = tf.ones_like(ids.row_lengths(), dtype="int32")[:, None]
        ids = tf.concat(
            [column * self.cls_token_id, ids, column * self.sep_token_id],
            axis=1,
        )
        mask = tf.ones_like(ids).to_tensor(0)
        return ids.to_tensor(self.pad_token_id), mask

    def decode(self, ids: Tensor) -> Tensor:
        """Turns ids into text, without the special tokens.

        Args:
            ids: Int32 tensor of shape `(B, T)`; ids outside the vocabulary
                give no text.

        Returns:
            String tensor of shape `(B,)`, UTF-8, without white space at its
            ends.
        """
        text = tf.strings.reduce_join(self.bytes.lookup(ids), axis=-1)
        # Bytes that are no UTF-8 become U+FFFD, as in Python.
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8")
        if self.clean_up:
            for old, new in CLEAN_UPS:
                text = tf.strings.regex_replace(text, _literal(old), new)
        return tf.strings.regex_replace(text, _OUTER_SPACE, "")

    def _tokens(self, texts):
        """Ids of the texts themselves, int32, ragged `(B, None)`."""
        parts = self.added.split(texts)
        is_text = parts.ids == TEXT
        strings = tf.where(is_text, parts.strings, "")
        if self.add_prefix_space:
            bare = is_text & (tf.strings.substr(strings, 0, 1) != " ")
            strings = tf.where(bare, tf.strings.join([" ", strings]), strings)
        words = split_words(strings)
        pieces = self._pieces(words.flat_values)
        # Ids of words, then of parts: ragged (P, None).
        ids = tf.RaggedTensor.from_row_splits(
            pieces.flat_values, tf.gather(pieces.row_splits, words.row_splits)
        )
        whole = tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(parts.ids, ~is_text),  # pyright: ignore[reportOperatorIssue]
            tf.cast(~is_text, "int64"),  # pyright: ignore[reportOperatorIssue]
        )
        ids = tf.concat([ids, whole], axis=1)
        return tf.RaggedTensor.from_value_rowids(
            ids.flat_values,
            tf.gather(parts.rows, ids.value_rowids()),
            nrows=tf.size(texts, out_type=tf.int64),
        )

    def _pieces(self, words):
        """Ids of each word, ragged `(words, None)`."""
        unique, place = tf.unique(words)
        symbols = self.symbols.lookup(tf.strings.bytes_split(unique))
        merged = tf.strings.reduce_join(
            self._merge(symbols), axis=1, separator=" "
        )
        ids = self.ids.lookup(tf.strings.split(merged, sep=" "))
        return tf.gather(ids, place)


def _check(tokenizer, model):
    """Refuses settings that the operations above do not follow."""
    normalizer = tokenizer.backend_tokenizer.normalizer
    faults = {
        "normalizer": type(normalizer).__name__ if normalizer else None,
        "errors": tokenizer.errors if tokenizer.errors != "replace" else None,
        **{
            name: model.get(name)
            for name in (
                "dropout",
                "continuing_subword_prefix",
                "end_of_word_suffix",
                "fuse_unk",
                "byte_fallback",
                "ignore_merges",
            )
        },
    }
    for name, value in faults.items():
        if value:
            raise ValueError(
                f"`tokenizer` cannot be exported with its `{name}`: no "
                "TensorFlow operation does the same. Received: "
                f"{name}={value!r}. Export without text (tokenizer=None, "
                "--no-text) and send token ids."
            )
    if tokenizer.pad_token is None:
        raise ValueError(
            "`tokenizer` must have a `pad_token` to be exported: texts of a "
            "batch differ in length. Received: pad_token=None. Set one, for "
            "example `tokenizer.pad_token = tokenizer.eos_token`."
        )
    missing = [char for char in byte_values() if char not in model["vocab"]]
    if missing and model["unk_token"] is None:
        raise ValueError(
            "`tokenizer` must have every byte in its vocabulary, or an "
            f"`unk_token` in it, to be exported. Received: {len(missing)} "
            f"bytes are missing, such as {missing[0]!r}."
        )
    contents = [t.content for t in tokenizer.added_tokens_decoder.values()]
    spaced = [c for c in contents if c[:1].isspace()]
    if spaced and any(
        token.rstrip for token in tokenizer.added_tokens_decoder.values()
    ):
        raise ValueError(
            "`tokenizer` must have no added token that begins with white "
            "space beside one with `rstrip` to be exported: which of them "
            f"gets the white space is not defined. Received: {spaced[0]!r}."
        )


def _literal(text):
    """A regular expression of RE2 for a text."""
    return "".join(rf"\x{{{ord(char):x}}}" for char in text)


def _table(content, default):
    keys, values = list(content), list(content.values())
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys), tf.constant(values)
        ),
        default_value=default,
    )

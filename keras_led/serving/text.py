"""Byte-level BPE inside a TensorFlow graph: text to ids and back.

The tables and the merging are KerasHub's; what this adds is that a word is
merged once for each batch and nothing is kept between requests, where KerasHub
remembers every word it has ever seen, without bound.
"""

import json

import tensorflow as tf
from keras_hub.src.tokenizers.byte_pair_tokenizer import split_strings_for_bpe
from keras_hub.tokenizers import BytePairTokenizer

# What `str.strip` removes.
SPACE = r"[\t-\r\x1c-\x20\x{85}\pZ]+"
OUTER_SPACE = f"^{SPACE}|{SPACE}$"


class GraphTokenizer(tf.Module):
    """What `LEDTokenizer` does, as TensorFlow operations.

    Known differences from `LEDTokenizer`: NUL characters are dropped, which
    end a string for some of TensorFlow's operations, and so is the Devanagari
    digit six (U+096C), which KerasHub uses as a mark; white space before a
    literal `<mask>` stays.

    Args:
        tokenizer: `LEDTokenizer`.
        limit: int, longest document, in tokens.
    """

    def __init__(self, tokenizer, limit):
        super().__init__(name="tokenizer")
        self.limit = limit
        self.pad_token_id = tokenizer.pad_token_id
        self.bos_token_id = tokenizer.bos_token_id
        self.eos_token_id = tokenizer.eos_token_id
        self.prefix = " " if tokenizer.add_prefix_space else ""
        self.special = tuple(tokenizer.all_special_tokens)
        self.special_ids = tuple(tokenizer.all_special_ids)
        vocabulary, merges = _tables(tokenizer)
        self.bpe = BytePairTokenizer(
            vocabulary=vocabulary,
            merges=merges,
            unsplittable_tokens=list(self.special),
            # The tables of the graph are wanted at once.
            _allow_python_workflow=False,
        )
        self.bpe._maybe_initialized_tf()

    def encode(self, texts):
        """Tokenizes texts as documents.

        Args:
            texts: String tensor of shape `(B,)`, UTF-8.

        Returns:
            Int32 tensors of shape `(B, L)`: ids `<s> ... </s>`, cut to the
            limit and padded to the longest, and the attention mask.
        """
        texts = tf.strings.regex_replace(texts, r"\x00", "")
        if self.prefix:
            texts = tf.strings.join([self.prefix, texts])
        ids = tf.cast(self._tokens(texts), "int32")[:, : self.limit - 2]
        column = tf.ones_like(ids.row_lengths(), dtype="int32")[:, None]
        ids = tf.concat(
            [column * self.bos_token_id, ids, column * self.eos_token_id],
            axis=1,
        )
        mask = tf.ones_like(ids).to_tensor(0)
        return ids.to_tensor(self.pad_token_id), mask

    def decode(self, ids):
        """Turns ids into text, without the special tokens.

        Args:
            ids: Int32 tensor of shape `(B, T)`; ids below 0 give no text.

        Returns:
            String tensor of shape `(B,)`, UTF-8, without white space at its
            ends.
        """
        special = tf.constant(self.special_ids, "int32")
        shown = tf.reduce_all(ids[:, :, None] != special, axis=-1)
        kept = tf.ragged.boolean_mask(ids, tf.logical_and(shown, ids >= 0))
        symbols = tf.strings.reduce_join(
            self.bpe.id_to_token_map.lookup(kept), axis=-1
        )
        characters = tf.strings.unicode_split(symbols, "UTF-8")
        text = tf.strings.reduce_join(
            self.bpe.unicode2byte.lookup(characters), axis=-1
        )
        # Bytes that are no UTF-8 become U+FFFD, as in Python.
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8")
        return tf.strings.regex_replace(text, OUTER_SPACE, "")

    def _tokens(self, texts):
        """Ids of the texts themselves, ragged `(B, None)`."""
        words = split_strings_for_bpe(texts, list(self.special))
        unique, place = tf.unique(words.flat_values)
        symbols = self.bpe.byte2unicode.lookup(tf.strings.bytes_split(unique))
        merged = tf.strings.reduce_join(
            self.bpe._bpe_merge_tf(symbols), axis=1, separator=" "
        )
        special = tf.reduce_any(
            unique[:, None] == tf.constant(self.special), axis=1
        )
        merged = tf.where(special, unique, merged)
        pieces = self.bpe.token_to_id_map.lookup(
            tf.strings.split(merged, sep=" ")
        )
        pieces = tf.gather(pieces, place)  # ragged (words, None)
        return tf.RaggedTensor.from_row_splits(
            pieces.flat_values, tf.gather(pieces.row_splits, words.row_splits)
        )


def _tables(tokenizer):
    """The vocabulary and the merges of the tokenizer, as KerasHub wants."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    merges = [
        pair if isinstance(pair, str) else " ".join(pair)
        for pair in model["merges"]
    ]
    return dict(tokenizer.get_vocab()), merges

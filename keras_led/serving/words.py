"""Cutting texts into words as GPT-2 does, inside a TensorFlow graph.

The pattern of GPT-2 is `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|
?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+`. TensorFlow's regular expressions have no
look-ahead, so white space is dealt with first: the last character of a run goes
to the word behind it if it is a space, and is a word of its own if not.

Source: Radford et al., 2019, section 2.2, and the pattern of its `encoder.py`.
"""

import tensorflow as tf
import tensorflow_text as tf_text

from keras_led.serving.added_tokens import SPACE
from keras_led.typing import Tensor

_OTHER = r"[^\t-\r\x{85}\p{Z}\p{L}\p{N}]"
_WORD = rf"'s|'t|'re|'ve|'m|'ll|'d| ?\p{{L}}+| ?\p{{N}}+| ?{_OTHER}+|{SPACE}+"


def split_words(texts: Tensor) -> Tensor:
    """Cuts texts into words.

    Args:
        texts: String tensor of shape `(P,)`.

    Returns:
        Ragged string tensor of shape `(P, None)`; joined, the words of a text
        are that text.
    """
    runs = tf_text.regex_split(texts, f"{SPACE}+", f"{SPACE}+")
    text = runs.value_rowids()
    runs = runs.flat_values  # (R,), white space and other text in turns
    is_space = tf.strings.regex_full_match(runs, f"{SPACE}+")
    more = tf.concat(
        [text[1:] == text[:-1], tf.fill([tf.size(text[:1])], False)], 0
    )
    gives = is_space & more
    last = tf.strings.substr(
        tf.where(gives, runs, " "), -1, 1, unit="UTF8_CHAR"
    )
    blank = gives & (last == " ")
    takes = tf.concat([tf.zeros_like(blank[:1]), blank[:-1]], axis=0)
    kept = tf.strings.regex_replace(runs, f"{SPACE}$", "")
    runs = tf.where(gives, kept, runs)
    runs = tf.where(takes, tf.strings.join([" ", runs]), runs)
    # The character that stands alone follows its run.
    alone = tf.where(gives & ~blank, last, "")
    pieces = tf.reshape(tf.stack([runs, alone], axis=1), [-1])  # (2R,)
    words = tf_text.regex_split(pieces, _WORD, _WORD)
    owner = tf.gather(tf.repeat(text, 2), words.value_rowids())
    return tf.RaggedTensor.from_value_rowids(
        words.flat_values, owner, nrows=tf.size(texts, out_type=tf.int64)
    )

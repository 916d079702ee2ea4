"""Finding the added tokens of a tokenizer in texts, inside a TensorFlow graph.

An added token is found before the text is cut into words, the longest of those
that start at the first place. The rules, as the `tokenizers` library has them:
tokens with `normalized=False` come first, and the others are looked for in what
is left; `single_word` drops a token next to a letter, a digit or an underscore;
`lstrip` and `rstrip` take the white space before and behind it.
"""

import re
from typing import Any
from typing import NamedTuple

import tensorflow as tf
import tensorflow_text as tf_text

from keras_led.typing import Tensor

# Unicode's white space, and what belongs to a word, for RE2.
SPACE = r"[\t-\r\x{85}\p{Z}]"
WORD = (
    r"[\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}\x{24b6}-\x{24e9}"
    r"\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189}]"
)
TEXT = -1


class Parts(NamedTuple):
    """Texts taken apart, one part after the other.

    Attributes:
        strings: String tensor of shape `(P,)`.
        ids: Int32 tensor of shape `(P,)`: the id of an added token, or `TEXT`.
        rows: Int64 tensor of shape `(P,)`, ascending: the text it is of.
    """

    strings: tf.Tensor
    ids: tf.Tensor
    rows: tf.Tensor

    def keep(self, mask: Tensor) -> "Parts":
        """The parts where a bool tensor `(P,)` is `True`."""
        return Parts(*(tf.boolean_mask(values, mask) for values in self))


class AddedTokens(tf.Module):
    """The added tokens of a tokenizer, which are never split.

    Args:
        tokens: dict from id to `tokenizers.AddedToken`.
        split_special_tokens: bool, whether special ones are plain text.
    """

    def __init__(self, tokens: Any, split_special_tokens: bool):
        super().__init__(name="added_tokens")
        self._passes = [
            _Pass(chosen, split_special_tokens)
            for normalized in (False, True)
            if (
                chosen := {
                    index: token
                    for index, token in tokens.items()
                    if token.normalized == normalized
                }
            )
        ]

    def split(self, texts: Tensor) -> Parts:
        """Takes texts apart.

        Args:
            texts: String tensor of shape `(B,)`.

        Returns:
            `Parts`, none of which is empty.
        """
        parts = Parts(
            texts,
            tf.fill(tf.shape(texts), TEXT),
            tf.range(tf.size(texts, out_type=tf.int64)),
        )
        for one in self._passes:
            parts = one.split(parts)
        return parts.keep(parts.strings != "")


class _Pass(tf.Module):
    """Added tokens that are looked for at once."""

    def __init__(self, tokens, split_special_tokens):
        super().__init__()
        contents = [token.content for token in tokens.values()]
        # RE2 takes the first alternative that fits.
        longest_first = sorted(contents, key=len, reverse=True)
        self._pattern = "|".join(map(re.escape, longest_first))
        plain = {
            token.content: split_special_tokens and token.special
            for token in tokens.values()
        }
        ids = [
            TEXT if plain[token.content] else index
            for index, token in tokens.items()
        ]
        self._ids = _table(contents, ids, TEXT)
        self._flags = {
            name: [i for i, t in tokens.items() if getattr(t, name)]
            for name in ("single_word", "lstrip", "rstrip")
        }
        self._drops = any(plain.values()) or self._flags["single_word"]

    def split(self, parts):
        """Takes the texts among the parts apart."""
        is_text = parts.ids == TEXT
        pieces = tf_text.regex_split(
            tf.where(is_text, parts.strings, ""), self._pattern, self._pattern
        )
        others = tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(parts.strings, ~is_text),
            tf.cast(~is_text, "int64"),
        )
        pieces = tf.concat([pieces, others], axis=1)  # ragged (P, None)
        part = pieces.value_rowids()
        strings, rows = pieces.flat_values, tf.gather(parts.rows, part)
        found = tf.where(
            tf.gather(is_text, part),
            self._ids.lookup(strings),
            tf.gather(parts.ids, part),
        )
        if self._flags["single_word"]:
            beside = _before(_ends(strings, f"(?s).*{WORD}"), part)
            beside |= _behind(_ends(strings, f"(?s){WORD}.*"), part)
            drop = self._has("single_word", found) & beside
            found = tf.where(drop, TEXT, found)
        if self._drops:
            strings, found, rows, part = _join_texts(strings, found, rows, part)
        for name, neighbor, pattern in (
            ("lstrip", _behind, f"{SPACE}+$"),
            ("rstrip", _before, f"^{SPACE}+"),
        ):
            if self._flags[name]:
                stripped = tf.strings.regex_replace(strings, pattern, "")
                strip = neighbor(self._has(name, found), part)
                strings = tf.where(strip & (found == TEXT), stripped, strings)
        return Parts(strings, found, rows)

    def _has(self, name, ids):
        flagged = tf.constant(self._flags[name], "int32")
        return tf.reduce_any(ids[:, None] == flagged, axis=1)


def _table(keys, values, default):
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, tf.string), tf.constant(values, tf.int32)
        ),
        default_value=default,
    )


def _ends(strings, pattern):
    return tf.strings.regex_full_match(strings, pattern)


def _before(flags, part):
    """Whether the piece before has a flag, in the same part."""
    same = part[1:] == part[:-1]
    return tf.concat([tf.zeros_like(flags[:1]), flags[:-1] & same], axis=0)


def _behind(flags, part):
    """Whether the piece behind has a flag, in the same part."""
    same = part[1:] == part[:-1]
    return tf.concat([flags[1:] & same, tf.zeros_like(flags[:1])], axis=0)


def _join_texts(strings, ids, rows, part):
    """Joins texts that follow each other in a part."""
    is_text = ids == TEXT
    joins = is_text & _before(is_text, part)
    groups = tf.cumsum(tf.cast(~joins, "int32")) - 1
    starts = tf.boolean_mask(tf.range(tf.size(ids)), ~joins)
    joined = tf.strings.unsorted_segment_join(strings, groups, tf.size(starts))
    return (
        joined,
        tf.gather(ids, starts),
        tf.gather(rows, starts),
        tf.gather(part, starts),
    )

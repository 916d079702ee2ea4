"""Processors that compare the last tokens with n-grams."""

import dataclasses
import math
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_led.generation.processors.scores import LogitsProcessor
from keras_led.generation.processors.token_sets import FORBIDDEN
from keras_led.generation.processors.token_sets import token_mask
from keras_led.generation.processors.token_sets import tokens_present
from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.generation.processors.scores import Documents


def last_tokens(tokens: Tensor, length: Tensor, count: int) -> Tensor:
    """Reads the last `count` of the first `length` tokens of each row.

    Args:
        tokens: int32 tensor `(R, L)`.
        length: int32 scalar.
        count: int, `n`.

    Returns:
        int32 tensor `(R, n)`. Where `length < n`, the missing places repeat
        the first token: the caller has to check the length.
    """
    index = length - count + ops.arange(count, dtype="int32")
    return ops.take(tokens, ops.maximum(index, 0), axis=1)


def find_successors(tokens: Tensor, suffix: Tensor) -> Tensor:
    """Finds what follows each occurrence of `suffix`.

    Args:
        tokens: int32 tensor `(R, L)` that is searched.
        suffix: int32 tensor `(R, n)`, `n >= 0`.

    Returns:
        Bool tensor `(R, L)`: whether the `n` tokens before a place equal the
        suffix. The first `n` places are `False`.
    """
    count = suffix.shape[1]
    size = ops.shape(tokens)[1]
    matches = ops.ones_like(tokens[:, : size - count], dtype="bool")
    for offset in range(count):
        part = tokens[:, offset : size - count + offset]
        matches = ops.logical_and(matches, part == suffix[:, offset, None])
    return ops.pad(matches, ((0, 0), (count, 0)), constant_values=False)


@dataclasses.dataclass(frozen=True)
class NoRepeatNGram(LogitsProcessor):
    """Lets no n-gram occur twice in a row, prompt included."""

    size: int

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Forbids what followed the last `size - 1` tokens before."""
        if self.size > tokens.shape[1]:
            return scores
        suffix = last_tokens(tokens, length, self.size - 1)
        after = find_successors(tokens, suffix)
        written = ops.arange(tokens.shape[1], dtype="int32") < length
        counts = ops.logical_and(after, written[None, :])
        banned = tokens_present(tokens, counts, scores.shape[1])
        banned = ops.logical_and(banned, length >= self.size)
        return ops.where(banned, FORBIDDEN, scores)


@dataclasses.dataclass(frozen=True)
class EncoderNoRepeatNGram(LogitsProcessor):
    """Lets no n-gram of the document occur in the output."""

    size: int

    def prepare(self, documents: "Documents") -> Any:
        """Repeats each document for its rows, and keeps its width."""
        ids = ops.repeat(documents.input_ids, documents.rows, axis=0)
        # Room for an n-gram in any document, however short.
        return ops.pad(ids, ((0, 0), (0, self.size))), documents.width

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Forbids what follows the last `size - 1` tokens there."""
        ids, width = prepared
        suffix = last_tokens(tokens, length, self.size - 1)
        after = find_successors(ids, suffix)
        given = ops.arange(ops.shape(ids)[1], dtype="int32") < width
        counts = ops.logical_and(after, given[None, :])
        banned = tokens_present(ids, counts, scores.shape[1])
        banned = ops.logical_and(banned, length >= self.size - 1)
        return ops.where(banned, FORBIDDEN, scores)


@dataclasses.dataclass(frozen=True)
class SequenceBias(LogitsProcessor):
    """Adds a bias to the token that would complete a sequence.

    Args:
        sequences: tuple of pairs of an id tuple and a float; `-inf` forbids
            the completion.
    """

    sequences: tuple[Any, ...]

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Adds the biases of all sequences, by length of their prefix."""
        groups = {}
        for ids, bias in dict(self.sequences).items():
            groups.setdefault(len(ids) - 1, []).append((ids, bias))
        for prefix_length, group in groups.items():
            if prefix_length > tokens.shape[1]:
                continue
            suffix = last_tokens(tokens, length, prefix_length)
            prefixes = np.array([ids[:-1] for ids, _ in group], "int32")
            equal = suffix[:, None, :] == prefixes[None, :, :]
            matches = ops.all(equal, axis=-1)  # (R, M)
            matches = ops.logical_and(matches, length >= prefix_length)
            scores = _add_matching(scores, matches, group)
        return scores


@dataclasses.dataclass(frozen=True)
class BadWords(SequenceBias):
    """`SequenceBias` of `-inf` for words that must not occur."""


def _add_matching(scores, matches, group):
    """Adds the biases of the matching sequences to their last tokens.

    Args:
        scores: float32 tensor `(R, V)`.
        matches: bool tensor `(R, M)`.
        group: list of `M` pairs of ids and bias.
    """
    last = np.array([ids[-1] for ids, _ in group])
    targets = np.unique(last)  # (U,)
    place = (last[:, None] == targets[None, :]).astype("float32")  # (M, U)
    bias = np.array([bias for _, bias in group], "float32")
    bans = np.where(bias == -math.inf, 1.0, 0.0).astype("float32")
    # Two sums, because 0 * -inf is not a number.
    finite = np.where(bans > 0, 0.0, bias).astype("float32")
    matched = ops.cast(matches, "float32")
    added = ops.matmul(matched, place * finite[:, None])  # (R, U)
    banned = ops.matmul(matched, place * bans[:, None]) > 0  # (R, U)
    added = ops.where(banned, FORBIDDEN, added)
    # From U columns to V: every other token reads a spare column of zeros.
    added = ops.pad(added, ((0, 0), (0, 1)))
    column = np.full(scores.shape[1], len(targets), "int32")
    column[targets] = np.arange(len(targets))
    is_target = token_mask(targets, scores.shape[1])
    spread = ops.take(added, column, axis=1)  # (R, V)
    return ops.where(is_target, scores + spread, scores)

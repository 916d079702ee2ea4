"""Changes of the next-token scores that hold for every search.

Each processor is a frozen dataclass of plain numbers, so that it can key the
cache of compiled functions, and a pure function of tensors with static shapes,
so that it runs inside a compiled loop. The letters: `R` rows (documents times
beams), `L` size of the token buffer, `S` encoder length, `V` vocabulary.
"""

import dataclasses
from typing import Any
from typing import NamedTuple

import numpy as np

from keras_led.generation.processors.token_sets import allow_only
from keras_led.generation.processors.token_sets import forbid
from keras_led.generation.processors.token_sets import tokens_present
from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor


class Documents(NamedTuple):
    """What processors may know beside the tokens generated so far.

    Attributes:
        rows: int, rows per document.
        vocab_size: int, `V`.
        input_ids: int32 tensor `(B, S)`, or `None` for embedded inputs.
        width: int32 scalar, columns of `input_ids` that the caller gave; the
            rest is padding of ours.
        prompt_start: int32 tensor `(R,)`, index of the first prompt token
            that is not padding, or `None` for 0.
    """

    rows: int
    vocab_size: int
    input_ids: Any = None
    width: Any = None
    prompt_start: Any = None


class LogitsProcessor:
    """Base of the processors that run inside the compiled loop.

    A subclass is best a frozen dataclass: two equal processors then share one
    compiled loop.
    """

    def prepare(self, documents: Documents) -> Any:
        """Computes once, before the first token, what every step needs.

        Args:
            documents: `Documents`.

        Returns:
            Tensors in any nesting, handed to `process`; `()` by default.
        """
        del documents
        return ()

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Returns the changed scores of the next token.

        Args:
            scores: float32 tensor `(R, V)`, logits or, in beam search,
                log-probabilities. `-inf` forbids a token.
            tokens: int32 tensor `(R, L)`; the first `length` columns are the
                tokens so far, the rest is undefined.
            length: int32 scalar.
            prepared: what `prepare` returned.

        Returns:
            float32 tensor `(R, V)`.
        """
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class EncoderRepetitionPenalty(LogitsProcessor):
    """Favours (above 1) or punishes (below 1) tokens of the document."""

    penalty: float

    def prepare(self, documents: Documents) -> Any:
        """Marks the tokens of each row's document, `(R, V)`."""
        ids = ops.repeat(documents.input_ids, documents.rows, axis=0)
        position = ops.arange(ops.shape(ids)[1], dtype="int32")[None, :]
        used = position < documents.width
        return tokens_present(ids, used, documents.vocab_size)

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Divides or multiplies the scores of the marked tokens."""
        return _penalize(scores, prepared, 1 / self.penalty)


@dataclasses.dataclass(frozen=True)
class RepetitionPenalty(LogitsProcessor):
    """Punishes (above 1) tokens that a row holds already, prompt included."""

    penalty: float

    def prepare(self, documents: Documents) -> Any:
        """Keeps the index of the first prompt token that is no padding."""
        start = documents.prompt_start
        return () if start is None else start

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Divides or multiplies the scores of the tokens so far."""
        position = ops.arange(tokens.shape[1], dtype="int32")[None, :]
        used = position < length  # (1, L)
        if not isinstance(prepared, tuple):
            used = ops.logical_and(used, position >= prepared[:, None])
        present = tokens_present(tokens, used, scores.shape[1])
        return _penalize(scores, present, self.penalty)


def _penalize(scores, mask, penalty):
    changed = ops.where(scores < 0, scores * penalty, scores / penalty)
    return ops.where(mask, changed, scores)


@dataclasses.dataclass(frozen=True)
class MinLength(LogitsProcessor):
    """Forbids the end while a row has fewer than `min_length` tokens."""

    min_length: int
    eos_token_ids: tuple[int, ...]

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets the end tokens to `-inf` while the row is short."""
        banned = forbid(scores, self.eos_token_ids)
        return ops.where(length < self.min_length, banned, scores)


@dataclasses.dataclass(frozen=True)
class MinNewTokens(MinLength):
    """`MinLength` counted from the end of the prompt."""


@dataclasses.dataclass(frozen=True)
class ForcedBOS(LogitsProcessor):
    """Forces the token after a lone start token."""

    token_id: int

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Leaves one token, with score 0, at length 1."""
        forced = allow_only(scores, (self.token_id,))
        return ops.where(ops.equal(length, 1), forced, scores)


@dataclasses.dataclass(frozen=True)
class ForcedEOS(LogitsProcessor):
    """Forces an end token into the last place."""

    max_length: int
    token_ids: tuple[int, ...]

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Leaves the end tokens, with score 0, at `max_length - 1`."""
        forced = allow_only(scores, self.token_ids)
        last = ops.equal(length, self.max_length - 1)
        return ops.where(last, forced, scores)


@dataclasses.dataclass(frozen=True)
class RemoveInvalid(LogitsProcessor):
    """Replaces NaN by 0 and infinities by the largest finite numbers."""

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Returns finite scores."""
        largest = float(np.finfo("float32").max)
        infinite = ops.isinf(scores)
        bounded = ops.where(scores > 0, largest, -largest)
        scores = ops.where(infinite, bounded, scores)
        return ops.where(ops.isnan(scores), 0.0, scores)


@dataclasses.dataclass(frozen=True)
class ExponentialDecay(LogitsProcessor):
    """Raises the end's score exponentially after `start` tokens."""

    start: int
    factor: float
    eos_token_ids: tuple[int, ...]

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Adds `|score| * (factor ** steps - 1)` to the end tokens."""
        steps = ops.cast(ops.maximum(length - self.start, 0), "float32")
        growth = ops.power(self.factor, steps) - 1.0
        is_end = np.zeros(scores.shape[1], "bool")
        is_end[list(self.eos_token_ids)] = True
        finite = ops.isfinite(scores)
        size = ops.where(finite, ops.abs(scores), 0.0)
        return scores + ops.where(is_end, size * growth, 0.0)


@dataclasses.dataclass(frozen=True)
class SuppressTokens(LogitsProcessor):
    """Forbids tokens everywhere."""

    token_ids: tuple[int, ...]

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets the tokens to `-inf`."""
        return forbid(scores, self.token_ids)


@dataclasses.dataclass(frozen=True)
class BeginSuppressTokens(LogitsProcessor):
    """Forbids tokens in one place, the first free one."""

    token_ids: tuple[int, ...]
    begin: int

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets the tokens to `-inf` when `begin` tokens are there."""
        banned = forbid(scores, self.token_ids)
        return ops.where(ops.equal(length, self.begin), banned, scores)


@dataclasses.dataclass(frozen=True)
class Renormalize(LogitsProcessor):
    """Turns the final scores into log-probabilities."""

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Returns the log-softmax over the vocabulary."""
        return ops.log_softmax(scores, axis=-1)

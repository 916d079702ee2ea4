"""Processors that narrow or reshape the distribution tokens are drawn from.

Source: Hugging Face's `generation/logits_process.py` (transformers 5.23) for
the exact rules; the papers for their meaning.
"""

import dataclasses
from typing import Any

from keras_led.generation.processors.scores import LogitsProcessor
from keras_led.generation.processors.token_sets import FORBIDDEN
from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor


@dataclasses.dataclass(frozen=True)
class Temperature(LogitsProcessor):
    """Divides the scores by a temperature."""

    temperature: float

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Returns flatter (above 1) or sharper (below 1) scores."""
        return scores / self.temperature


@dataclasses.dataclass(frozen=True)
class TopK(LogitsProcessor):
    """Keeps the `k` best tokens, and all that tie with the last of them."""

    k: int

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets all other tokens to `-inf`."""
        below = scores < _kth_best(scores, self.k)
        return ops.where(below, FORBIDDEN, scores)


@dataclasses.dataclass(frozen=True)
class TopP(LogitsProcessor):
    """Keeps the smallest set of best tokens that holds mass `p`.

    Source: Holtzman et al., 2019, https://arxiv.org/abs/1904.09751
    """

    p: float
    keep: int = 1

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets all other tokens to `-inf`."""
        order = ops.argsort(scores, axis=-1)  # ascending
        ranked = ops.take_along_axis(scores, order, axis=-1)
        mass = ops.cumsum(ops.softmax(ranked, axis=-1), axis=-1)
        rank = ops.arange(scores.shape[1])
        weak = ops.logical_and(
            mass <= 1 - self.p, rank < scores.shape[1] - self.keep
        )
        return _drop_ranked(scores, weak, order)


@dataclasses.dataclass(frozen=True)
class MinP(LogitsProcessor):
    """Keeps tokens at least `p` times as probable as the best one."""

    p: float
    keep: int = 1

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets all other tokens to `-inf`."""
        probability = ops.softmax(scores, axis=-1)
        best = ops.max(probability, axis=-1, keepdims=True)
        return _drop_weak(scores, probability < self.p * best, self.keep)


@dataclasses.dataclass(frozen=True)
class Typical(LogitsProcessor):
    """Keeps the tokens whose surprise is nearest to the entropy, mass `p`.

    Source: Meister et al., 2022, https://arxiv.org/abs/2202.00666
    """

    p: float
    keep: int = 1

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets all other tokens to `-inf`."""
        log_probability = ops.log_softmax(scores, axis=-1)
        distance = ops.abs(-log_probability - _entropy(log_probability))
        order = ops.argsort(distance, axis=-1)
        ranked = ops.take_along_axis(distance, order, axis=-1)
        ranked_scores = ops.take_along_axis(scores, order, axis=-1)
        mass = ops.cumsum(ops.softmax(ranked_scores, axis=-1), axis=-1)
        last = ops.sum(ops.cast(mass < self.p, "int32"), axis=-1)
        last = ops.minimum(last, scores.shape[1] - 1)
        limit = ops.take_along_axis(ranked, last[:, None], axis=-1)
        rank = ops.arange(scores.shape[1])
        weak = ops.logical_and(ranked > limit, rank >= self.keep)
        return _drop_ranked(scores, weak, order)


@dataclasses.dataclass(frozen=True)
class EpsilonCutoff(LogitsProcessor):
    """Keeps tokens of at least a given probability.

    Source: Hewitt et al., 2022, https://arxiv.org/abs/2210.15191
    """

    epsilon: float
    keep: int = 1

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets all other tokens to `-inf`."""
        probability = ops.softmax(scores, axis=-1)
        return _drop_weak(scores, probability < self.epsilon, self.keep)


@dataclasses.dataclass(frozen=True)
class EtaCutoff(LogitsProcessor):
    """`EpsilonCutoff` with a limit that falls with the entropy.

    Source: Hewitt et al., 2022, https://arxiv.org/abs/2210.15191
    """

    epsilon: float
    keep: int = 1

    def process(
        self, scores: Tensor, tokens: Tensor, length: Tensor, prepared: Any
    ) -> Tensor:
        """Sets all other tokens to `-inf`."""
        log_probability = ops.log_softmax(scores, axis=-1)
        entropy = _entropy(log_probability)  # (R, 1)
        limit = ops.minimum(self.epsilon, self.epsilon**0.5 * ops.exp(-entropy))
        weak = ops.exp(log_probability) < limit
        return _drop_weak(scores, weak, self.keep)


def _kth_best(scores, k):
    """The `k`-th best score of each row, `(R, 1)`."""
    return ops.top_k(scores, min(k, scores.shape[1]))[0][:, -1:]


def _drop_weak(scores, weak, keep):
    """Sets weak tokens to `-inf`, except the `keep` best ones."""
    weak = ops.logical_and(weak, scores < _kth_best(scores, keep))
    return ops.where(weak, FORBIDDEN, scores)


def _drop_ranked(scores, weak, order):
    """Sets tokens to `-inf` that are weak in the order of their rank.

    Args:
        scores: float32 tensor `(R, V)`.
        weak: bool tensor `(R, V)` by rank.
        order: int32 tensor `(R, V)`, the token of each rank.
    """
    rank = ops.argsort(order, axis=-1)  # of each token
    return ops.where(
        ops.take_along_axis(weak, rank, axis=-1), FORBIDDEN, scores
    )


def _entropy(log_probability):
    """Entropy in nats, `(R, 1)`; forbidden tokens add nothing."""
    product = ops.exp(log_probability) * log_probability
    product = ops.where(ops.isnan(product), 0.0, product)
    return -ops.sum(product, axis=-1, keepdims=True)

"""Metrics of tokens that leave out the labels which do not count."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from keras_led.losses.model_losses import IGNORED_LABEL
from keras_led.typing import Tensor


class _MeanOverTokens(keras.metrics.Mean):
    """Base of the metrics: a mean over the tokens that count.

    Keras' own token metrics know no ignored label, and its cross-entropy (as
    that inside KerasHub's `Perplexity`) refuses -100 on TensorFlow.
    """

    def __init__(self, ignored_ids=(IGNORED_LABEL,), name=None, dtype=None):
        if isinstance(ignored_ids, int):
            ignored_ids = (ignored_ids,)
        if not all(isinstance(token, int) for token in ignored_ids):
            raise ValueError(
                "`ignored_ids` must hold token ids or -100. "
                f"Received: ignored_ids={ignored_ids}. "
                "Pass for example (-100, tokenizer.pad_token_id)."
            )
        super().__init__(name=name, dtype=dtype)
        self.ignored_ids = tuple(ignored_ids)

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = ops.cast(ops.convert_to_tensor(y_true), "int32")
        logits = ops.convert_to_tensor(y_pred)
        if not _fits(labels.shape, logits.shape[:-1]):
            raise ValueError(
                "`y_true` must have the shape of `y_pred` without its last "
                f"axis. Received: shapes y_true={tuple(labels.shape)}, "
                f"y_pred={tuple(logits.shape)}."
            )
        counts = ops.ones_like(labels, dtype="bool")
        for token in self.ignored_ids:
            counts = counts & ops.not_equal(labels, token)
        values = self.token_values(
            ops.where(counts, labels, ops.zeros_like(labels)),
            ops.cast(logits, "float32"),
        )
        weights = ops.cast(counts, "float32")
        if sample_weight is not None:
            given = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
            missing = len(weights.shape) - len(given.shape)
            given = ops.reshape(given, tuple(given.shape) + (1,) * missing)
            weights = weights * given
        return super().update_state(values, sample_weight=weights)

    def get_config(self):
        return {
            "ignored_ids": list(self.ignored_ids),
            "name": self.name,
            "dtype": self.dtype,
        }


def _fits(shape, expected):
    """Whether two shapes, of which sizes may be unknown, can be equal."""
    return len(shape) == len(expected) and all(
        None in (size, wanted) or size == wanted
        for size, wanted in zip(shape, expected, strict=True)
    )


@keras.saving.register_keras_serializable(package="keras_led")
class TokenAccuracy(_MeanOverTokens):
    """Share of the labels that are the most likely token, in `[0, 1]`.

    Args:
        ignored_ids: int or tuple of int, labels that do not count: -100 as in
            the models' own loss, and for example the pad token's id.
        name: str.
        dtype: str, of the sums.

    Call arguments (of `update_state`):
        y_true: Int tensor of shape `(B, T)`, labels.
        y_pred: Float tensor of shape `(B, T, V)`, logits or probabilities.
        sample_weight: Float tensor of shape `(B,)`, `(B, 1)` or `(B, T)`, or
            `None`; it reaches metrics under `weighted_metrics` of `compile`.

    Raises:
        ValueError: If `ignored_ids` holds something else, or shapes do not
            fit.
    """

    def __init__(
        self,
        ignored_ids: int | Iterable[int] = (IGNORED_LABEL,),
        name: str = "token_accuracy",
        dtype: Any = None,
    ):
        super().__init__(ignored_ids, name, dtype)

    def token_values(self, labels: Tensor, logits: Tensor) -> Tensor:
        best = ops.cast(ops.argmax(logits, axis=-1), labels.dtype)
        return ops.cast(ops.equal(labels, best), "float32")


@keras.saving.register_keras_serializable(package="keras_led")
class Perplexity(_MeanOverTokens):
    """`exp` of the mean cross-entropy of all tokens that count.

    The mean goes over the tokens of all batches, as each has its share; the
    `loss` of `fit` is a mean of the batches' means. Tokens that do not count
    are left out as in `TokenAccuracy`, and label smoothing plays no part.

    Args:
        ignored_ids: see `TokenAccuracy`.
        from_logits: bool, `False` where `y_pred` holds probabilities.
        name: str.
        dtype: str, of the sums.

    Call arguments (of `update_state`): those of `TokenAccuracy`.

    Returns:
        `result()` is a float32 scalar of at least 1; 0 where no token counts.

    Raises:
        ValueError: As `TokenAccuracy`.
    """

    def __init__(
        self,
        ignored_ids: int | Iterable[int] = (IGNORED_LABEL,),
        from_logits: bool = True,
        name: str = "perplexity",
        dtype: Any = None,
    ):
        super().__init__(ignored_ids, name, dtype)
        self.from_logits = from_logits

    def token_values(self, labels: Tensor, logits: Tensor) -> Tensor:
        return keras.losses.sparse_categorical_crossentropy(
            labels, logits, from_logits=self.from_logits
        )

    def result(self) -> Tensor:
        counted = ops.convert_to_tensor(self.count)
        mean = super().result()
        return ops.where(counted > 0, ops.exp(mean), ops.zeros_like(mean))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"from_logits": self.from_logits}

"""The losses that the models compute from labels, in float32."""

from keras import ops

from keras_led import backend
from keras_led.typing import Tensor

IGNORED_LABEL = -100


def count_of_mean(counts: Tensor) -> Tensor:
    """What a sum over the entries that count is divided by for their mean.

    Replicas that share a training step, each with rows of its own, average
    their losses. Divided by the mean of their counts, that average is the
    mean over the whole batch, however unequal the counts are.

    Args:
        counts: Bool tensor, `True` for an entry that counts.

    Returns:
        Float32 scalar; 1 if no entry counts.
    """
    total = ops.sum(ops.cast(counts, "float32"))
    total = backend.mean_over_replicas(total)
    return ops.where(total > 0.0, total, ops.ones_like(total))


def language_modeling_loss(
    logits: Tensor, labels: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy over the tokens whose label is not ignored.

    Args:
        logits: Float tensor of shape `(B, T, V)`, before softmax.
        labels: Int tensor of shape `(B, T)`: token ids, or -100 for a token
            that does not count. The pad token counts, as in Hugging Face.
        label_smoothing: float in `[0, 1)`, the share of the target that is
            spread over all tokens alike (Szegedy et al. 2016, section 7).

    Returns:
        Float32 scalar; 0, with zero gradients, where every label is ignored.

    Source:
        `LEDForConditionalGeneration.forward` in transformers 5.23, whose
        loss is NaN where every label is ignored.
    """
    return _mean_cross_entropy(
        logits,
        labels,
        ops.not_equal(labels, IGNORED_LABEL),
        label_smoothing,
    )


def _mean_cross_entropy(logits, labels, counts, label_smoothing=0.0):
    logits = ops.cast(logits, "float32")
    safe_labels = ops.where(counts, labels, ops.zeros_like(labels))
    picked = ops.take_along_axis(logits, safe_labels[..., None], axis=-1)
    target = picked[..., 0]
    if label_smoothing:
        even = ops.mean(logits, axis=-1)
        target = target + label_smoothing * (even - target)
    losses = ops.logsumexp(logits, axis=-1) - target
    total = count_of_mean(counts)
    return ops.sum(losses * ops.cast(counts, "float32")) / total


def _mean(losses):
    return ops.sum(losses) / count_of_mean(ops.ones_like(losses, dtype="bool"))


def classification_problem(
    labels_dtype: str, num_labels: int, problem_type: str | None = None
) -> str:
    """Finds out which loss fits the labels.

    Args:
        labels_dtype: str, dtype of the labels.
        num_labels: int.
        problem_type: str, the config's, or `None`.

    Returns:
        One of "regression", "single_label_classification" and
        "multi_label_classification".
    """
    if problem_type is not None:
        return problem_type
    if num_labels == 1:
        return "regression"
    if "int" in labels_dtype:
        return "single_label_classification"
    return "multi_label_classification"


def classification_loss(
    logits: Tensor, labels: Tensor, problem_type: str | None
) -> Tensor:
    """The loss of sequence classification.

    Args:
        logits: Float tensor of shape `(B, num_labels)`.
        labels: Int tensor of shape `(B,)` for a single label; float tensor of
            shape `(B, num_labels)` for multi-label and regression, `(B,)` for
            regression of one value.
        problem_type: str: "single_label_classification" is cross-entropy
            (labels of -100 do not count), "multi_label_classification" binary
            cross-entropy, "regression" mean squared error.

    Returns:
        Float32 scalar.

    Source:
        `LEDForSequenceClassification.forward` in transformers 4.57.
    """
    logits = ops.cast(logits, "float32")
    if problem_type == "single_label_classification":
        labels = ops.reshape(labels, (-1,))
        counts = ops.not_equal(labels, IGNORED_LABEL)
        return _mean_cross_entropy(logits, labels, counts)
    labels = ops.reshape(ops.cast(labels, "float32"), ops.shape(logits))
    if problem_type == "regression":
        return _mean(ops.square(logits - labels))
    return _mean(ops.binary_crossentropy(labels, logits, from_logits=True))


def span_loss(
    start_logits: Tensor,
    end_logits: Tensor,
    start_positions: Tensor,
    end_positions: Tensor,
) -> Tensor:
    """The loss of question answering: where the answer starts and ends.

    Negative positions count as 0; positions past the end do not count.

    Args:
        start_logits: Float tensor of shape `(B, T)`.
        end_logits: Float tensor of shape `(B, T)`.
        start_positions: Int tensor of shape `(B,)` or `(B, 1)`.
        end_positions: Int tensor of shape `(B,)` or `(B, 1)`.

    Returns:
        Float32 scalar, the mean of both cross-entropies; 0 where no position
        counts.

    Source:
        `LEDForQuestionAnswering.forward` in transformers 5.23, whose loss is
        NaN where no position counts.
    """
    length = ops.shape(start_logits)[1]

    def loss(logits, positions):
        positions = ops.reshape(ops.cast(positions, "int32"), (-1,))
        positions = ops.maximum(positions, 0)
        return _mean_cross_entropy(logits, positions, positions < length)

    start_loss = loss(start_logits, start_positions)
    return (start_loss + loss(end_logits, end_positions)) / 2.0

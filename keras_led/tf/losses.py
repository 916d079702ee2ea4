"""The loss of TensorFlow's LED."""

from keras import ops

from keras_led.losses.model_losses import IGNORED_LABEL
from keras_led.losses.model_losses import language_modeling_loss
from keras_led.typing import Tensor


def padded_language_modeling_loss(
    logits: Tensor,
    labels: Tensor,
    pad_token_id: int | None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Mean cross-entropy over the labels that are neither pad nor -100.

    Args:
        logits: Float tensor of shape `(B, T, V)`, before softmax.
        labels: Int tensor of shape `(B, T)`.
        pad_token_id: int, or `None` for no padding token.
        label_smoothing: float in `[0, 1)`; see `language_modeling_loss`.

    Returns:
        Float32 tensor of shape `(1,)`; 0 where no label counts.

    Source:
        `TFLEDForConditionalGeneration.hf_compute_loss` in transformers 4.57,
        which takes -100 for token 0 and is NaN where no label counts.
    """
    if pad_token_id is not None:
        ignored = ops.full_like(labels, IGNORED_LABEL)
        labels = ops.where(ops.equal(labels, pad_token_id), ignored, labels)
    loss = language_modeling_loss(logits, labels, label_smoothing)
    return ops.reshape(loss, (1,))

"""From labels to decoder inputs."""

from keras import ops

from keras_led.losses.model_losses import IGNORED_LABEL
from keras_led.typing import Tensor


def shift_tokens_right(
    input_ids: Tensor, pad_token_id: int | None, decoder_start_token_id: int
) -> Tensor:
    """Puts the start token in front and drops the last token.

    Args:
        input_ids: Int tensor of shape `(B, T)`: token ids, or labels with
            -100, which becomes `pad_token_id`.
        pad_token_id: int.
        decoder_start_token_id: int.

    Returns:
        Int tensor of shape `(B, T)`.

    Raises:
        ValueError: If `pad_token_id` or `decoder_start_token_id` is `None`.

    Source:
        `shift_tokens_right` in transformers 5.23.
    """
    for name, value in (
        ("pad_token_id", pad_token_id),
        ("decoder_start_token_id", decoder_start_token_id),
    ):
        if value is None:
            raise ValueError(
                f"`config.{name}` must be a token id to make decoder inputs. "
                f"Received: {name}=None. Set it, or pass `decoder_input_ids`."
            )
    start = ops.zeros_like(input_ids[:, :1]) + decoder_start_token_id
    shifted = ops.concatenate([start, input_ids[:, :-1]], axis=1)
    ignored = ops.equal(shifted, IGNORED_LABEL)
    return ops.where(ignored, pad_token_id, shifted)

"""How likely a model finds outputs that are there already."""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.hub.seq2seq_lm import LEDSeq2SeqLM

SCORING_MODES = ("logits", "loss")


def score(
    task: "LEDSeq2SeqLM",
    inputs: Any,
    scoring_mode: str,
    target_ids: Tensor | None,
) -> Tensor:
    """Logits or losses of outputs; see `LEDSeq2SeqLM.score`."""
    if scoring_mode not in SCORING_MODES:
        raise ValueError(
            f"`scoring_mode` must be one of {', '.join(SCORING_MODES)}. "
            f"Received: scoring_mode={scoring_mode!r}."
        )
    weights = None
    if not (isinstance(inputs, dict) and "encoder_token_ids" in inputs):
        if task.preprocessor is None:
            raise ValueError(
                "`inputs` must be token ids where there is no preprocessor. "
                "Received: texts, with preprocessor=None."
            )
        if isinstance(inputs, tuple):
            data = task.preprocess_samples(*inputs)
        else:
            data = task.preprocess_samples(inputs)
        inputs, targets, weights = data
        target_ids = targets if target_ids is None else target_ids
    logits = task(
        {name: ops.convert_to_tensor(x) for name, x in inputs.items()}
    )
    if scoring_mode == "logits":
        return logits
    if target_ids is None:
        raise ValueError(
            "`target_ids` must be given for the loss of token ids. Received: "
            "target_ids=None."
        )
    losses = ops.sparse_categorical_crossentropy(
        ops.convert_to_tensor(target_ids),
        ops.cast(logits, "float32"),
        from_logits=True,
    )
    if weights is None:
        return losses
    return losses * ops.convert_to_tensor(weights)

"""LED itself: Hugging Face's PyTorch and TensorFlow files."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.checkpoints import names
from keras_led.checkpoints.table import HEAD_OF_ARCHITECTURE
from keras_led.config import LEDConfig

if TYPE_CHECKING:
    from keras_led.checkpoints.checkpoint import Checkpoint
    from keras_led.checkpoints.mapped import MappedCheckpoint


def read_led(
    content: dict[str, Any], checkpoint: "Checkpoint | MappedCheckpoint"
) -> "tuple[LEDConfig, Checkpoint | MappedCheckpoint, str | None]":
    """Makes the config of an LED, and finds out which head it has.

    Args:
        content: dict, its `config.json`.
        checkpoint: `Checkpoint` of its weights.

    Returns:
        A tuple: the `LEDConfig`, the checkpoint, the head.
    """
    return (
        LEDConfig.from_dict(content),
        checkpoint,
        find_head(content, checkpoint),
    )


def find_head(
    content: dict[str, Any], checkpoint: "Checkpoint | MappedCheckpoint"
) -> str | None:
    """Finds out which head a checkpoint has.

    Args:
        content: dict, its `config.json`.
        checkpoint: `Checkpoint` of its weights.

    Returns:
        str or `None`; see `table.weight_shapes`.
    """
    convert = names.converter(checkpoint.dialect)
    held = {(convert(name) or "").split("/")[0] for name in checkpoint.infos}
    if "classification_head" in held:
        return "classification"
    if "qa_outputs" in held:
        return "question_answering"
    if held & {"final_logits_bias", "lm_head"}:
        return "generation"
    # Files older than transformers 4.6 have no trace of the tied head.
    for name in content.get("architectures") or []:
        name = name.removeprefix("TF")
        if HEAD_OF_ARCHITECTURE.get(name) == "generation":
            return "generation"
    return None

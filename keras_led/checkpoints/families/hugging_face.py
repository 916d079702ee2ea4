"""LED itself: Hugging Face's PyTorch and TensorFlow files."""

from keras_led.checkpoints import names
from keras_led.checkpoints.table import HEAD_OF_ARCHITECTURE
from keras_led.config import LEDConfig


def read_led(content, checkpoint):
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


def find_head(content, checkpoint):
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

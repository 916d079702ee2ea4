"""AllenAI's own Longformer encoder-decoder checkpoints."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.checkpoints.families.bart import bart_config
from keras_led.checkpoints.families.bart import drop_rows
from keras_led.checkpoints.families.bart import strip_model
from keras_led.checkpoints.mapped import Entry
from keras_led.checkpoints.mapped import MappedCheckpoint
from keras_led.checkpoints.names import BODY

if TYPE_CHECKING:
    from keras_led.checkpoints.checkpoint import Checkpoint
    from keras_led.config import LEDConfig

# Ways to compute the same attention; `n2` and `sliding_chunks_no_overlap`
# are other attentions.
_ATTENTION_MODES = ("sliding_chunks", "tvm")
_DROPPED = (
    "attention_mode",
    "attention_dilation",
    "autoregressive",
    "gradient_checkpointing",
)


def is_allenai(
    content: dict[str, Any], checkpoint: "Checkpoint | MappedCheckpoint"
) -> bool:
    """Tells AllenAI's tensors from those of an LED of Hugging Face.

    The config does not: PRIMERA, of Hugging Face, kept AllenAI's keys.

    Args:
        content: dict, its `config.json`, with AllenAI's keys.
        checkpoint: `Checkpoint` of its weights.

    Returns:
        bool.
    """
    if checkpoint.dialect == "tensorflow":
        return False
    # In a bare LED, nothing is below `led.`: its table has no unused rows.
    positions = content.get("max_encoder_position_embeddings")
    return not any(
        name.startswith(f"{BODY}.")
        or name.endswith("encoder.embed_positions.weight")
        and info.shape[:1] == (positions,)
        for name, info in checkpoint.infos.items()
    )


def read_allenai(
    content: dict[str, Any], checkpoint: "Checkpoint | MappedCheckpoint"
) -> "tuple[LEDConfig, Checkpoint | MappedCheckpoint, str | None]":
    """Makes an LED of an AllenAI checkpoint.

    Their names are BART's with `model.` before them, the position tables have
    two unused rows, and `attention_window` counts the tokens on one side.

    Args:
        content: dict, its `config.json`.
        checkpoint: `Checkpoint` of its weights.

    Returns:
        A tuple: the `LEDConfig`, the checkpoint under LED's names, the head.

    Raises:
        ValueError: If the config asks for dilated, autoregressive, full or
            block-local attention, which LED does not have.
    """
    _check_attention(content)
    values = {k: v for k, v in content.items() if k not in _DROPPED}
    windows = content.get("attention_window", [512])
    layers = content.get("encoder_layers", 12)
    if isinstance(windows, int):
        windows = [windows] * layers
    values["attention_window"] = [2 * window for window in windows]
    config = bart_config(values)
    entries = {
        strip_model(tensor): Entry(tensor) for tensor in checkpoint.infos
    }
    # Counters of fairseq.
    counters = {
        entries.pop(name).source
        for name in ("encoder.version", "decoder.version")
        if name in entries
    }
    drop_rows(checkpoint, entries)
    mapped = MappedCheckpoint(
        checkpoint, entries, dialect="torch", drop=counters
    )
    return config, mapped, "generation"


def _check_attention(content):
    mode = content.get("attention_mode", "sliding_chunks")
    if mode not in _ATTENTION_MODES:
        raise ValueError(
            "`attention_mode` of an AllenAI checkpoint must be one of "
            f"{', '.join(_ATTENTION_MODES)}. Received: attention_mode={mode!r}."
        )
    dilation = content.get("attention_dilation") or [1]
    if any(value != 1 for value in dilation):
        raise ValueError(
            "`attention_dilation` must be 1 in every layer; LED has no "
            f"dilated attention. Received: attention_dilation={dilation}."
        )
    if content.get("autoregressive", False):
        raise ValueError(
            "`autoregressive` must be False: LED's encoder reads both ways. "
            "Received: autoregressive=True."
        )

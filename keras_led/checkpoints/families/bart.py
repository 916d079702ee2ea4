"""BART of Hugging Face, made into an LED."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.checkpoints.families.hugging_face import find_head
from keras_led.checkpoints.mapped import Entry
from keras_led.checkpoints.mapped import MappedCheckpoint
from keras_led.checkpoints.positions import resize_positions
from keras_led.config import LEDConfig

if TYPE_CHECKING:
    from keras_led.checkpoints.checkpoint import Checkpoint

# Both position tables begin with two rows that no token uses.
POSITION_OFFSET = 2
DEFAULT_ENCODER_POSITIONS = 16384
DEFAULT_ATTENTION_WINDOW = 1024

_PARTS = {
    "q_proj": ("query", "query_global"),
    "k_proj": ("key", "key_global"),
    "v_proj": ("value", "value_global"),
}
# Variants of BART with other arithmetic, by key and the value that is BART's.
_REQUIRED = {
    "scale_embedding": False,
    "normalize_before": False,
    "add_final_layer_norm": False,
    "static_position_embeddings": False,
    "normalize_embedding": True,
    "add_bias_logits": False,
}
_DROPPED = (
    *_REQUIRED,
    "architectures",
    "extra_pos_embeddings",
    "max_position_embeddings",
    "model_type",
)


def read_bart(
    content: dict[str, Any], checkpoint: "Checkpoint | MappedCheckpoint"
) -> "tuple[LEDConfig, Checkpoint | MappedCheckpoint, str | None]":
    """Makes an LED of a BART.

    Local and global projections of the encoder both start as BART's own, and
    its position table is repeated. With a window that covers the whole input
    the result gives BART's logits.

    Args:
        content: dict, its `config.json`.
        checkpoint: `Checkpoint` of its weights.

    Returns:
        A tuple: the `LEDConfig`, the checkpoint under LED's names, the head.

    Raises:
        ValueError: If the config describes a variant of BART that LED cannot
            compute, such as mBART.
    """
    config = bart_config(content)
    entries = {}
    last_bias = checkpoint.infos.get("classification_head.out_proj.bias")
    if last_bias is not None and last_bias.shape != (config.num_labels,):
        # BART's default is 3 classes, where its file does not say so.
        config.num_labels = last_bias.shape[0]
    for tensor, info in checkpoint.infos.items():
        for name in _led_names(strip_model(tensor)):
            entries[name] = _entry(tensor, name, info)
    mapped = MappedCheckpoint(checkpoint, entries, dialect="torch")
    lengths = {"encoder": config.max_encoder_position_embeddings}
    return (
        config,
        resize_positions(mapped, lengths),
        find_head({"architectures": _led_architectures(content)}, mapped),
    )


def bart_config(content: dict[str, Any]) -> LEDConfig:
    """Makes an LED config from BART's.

    Args:
        content: dict, BART's `config.json`.

    Returns:
        An `LEDConfig`.

    Raises:
        ValueError: See `read_bart`.
    """
    for name, value in _REQUIRED.items():
        if content.get(name, value) != value:
            raise ValueError(
                f"Only a BART with `{name}` {value} can become an LED. "
                f"Received: {name}={content[name]}."
            )
    values = {k: v for k, v in content.items() if k not in _DROPPED}
    positions = content.get("max_position_embeddings", 1024)
    values.setdefault("max_decoder_position_embeddings", positions)
    values.setdefault(
        "max_encoder_position_embeddings",
        max(DEFAULT_ENCODER_POSITIONS, positions),
    )
    values.setdefault("attention_window", DEFAULT_ATTENTION_WINDOW)
    return LEDConfig.from_dict(values)


def strip_model(name: str) -> str:
    """Takes away the `model.` that BART puts before its weights.

    Args:
        name: str, name of a tensor; Lightning puts `model.` there once more.
    """
    while name.startswith("model."):
        name = name.removeprefix("model.")
    return name


def drop_rows(
    checkpoint: "Checkpoint | MappedCheckpoint", entries: dict[str, Entry]
) -> None:
    """Takes the two unused rows off both position tables.

    Args:
        checkpoint: `Checkpoint` of a BART.
        entries: dict of LED's PyTorch names to `Entry`; changed.
    """
    for name, entry in entries.items():
        if name.endswith("embed_positions.weight"):
            entries[name] = _entry(
                entry.source, name, checkpoint.infos[entry.source]
            )


def _led_names(name):
    """Returns the LED names of a BART tensor: one, or local and global."""
    owner, _, rest = name.partition(".self_attn.")
    part, _, leaf = rest.partition(".")
    if not owner.startswith("encoder.layers.") or not leaf:
        return [name]
    if part in _PARTS:
        return [
            f"{owner}.self_attn.longformer_self_attn.{new}.{leaf}"
            for new in _PARTS[part]
        ]
    if part == "out_proj":
        return [f"{owner}.self_attn.output.{leaf}"]
    return [name]


def _entry(tensor, name, info):
    if not name.endswith("embed_positions.weight") or len(info.shape) != 2:
        return Entry(tensor)
    rows, dim = info.shape
    shape = (max(rows - POSITION_OFFSET, 0), dim)
    return Entry(tensor, shape, _without_offset)


def _without_offset(table):
    return table[POSITION_OFFSET:]


def _led_architectures(content):
    names = content.get("architectures") or []
    return [name.replace("Bart", "LED") for name in names]

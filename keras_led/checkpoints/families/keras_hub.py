"""BART presets of KerasHub, made into an LED."""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.checkpoints.families.bart import bart_config
from keras_led.checkpoints.mapped import Entry
from keras_led.checkpoints.mapped import MappedCheckpoint
from keras_led.checkpoints.positions import resize_positions
from keras_led.files.reading import reading

if TYPE_CHECKING:
    from keras_led.checkpoints.checkpoint import Checkpoint
    from keras_led.config import LEDConfig

_REQUIRED = (
    "vocabulary_size",
    "num_layers",
    "num_heads",
    "hidden_dim",
    "intermediate_dim",
)
_NORMS = {
    "_self_attention_layer_norm": "self_attn_layer_norm",
    "_cross_attention_layer_norm": "encoder_attn_layer_norm",
    "_feedforward_layer_norm": "final_layer_norm",
}
_DENSES = {
    "_feedforward_intermediate_dense": "fc1",
    "_feedforward_output_dense": "fc2",
}
_ATTENTIONS = {
    "_self_attention_layer": "self_attn",
    "_cross_attention_layer": "encoder_attn",
}
_PARTS = {
    "query_dense": ("q_proj", ("query", "query_global")),
    "key_dense": ("k_proj", ("key", "key_global")),
    "value_dense": ("v_proj", ("value", "value_global")),
    "output_dense": ("out_proj", ("output",)),
}
_DENSE_LEAVES = ("kernel", "bias")
_NORM_LEAVES = ("gamma", "beta")


def read_keras_hub(
    content: dict[str, Any], checkpoint: "Checkpoint | MappedCheckpoint"
) -> "tuple[LEDConfig, Checkpoint | MappedCheckpoint, str | None]":
    """Makes an LED of a KerasHub `BartBackbone` preset.

    Args:
        content: dict, the preset's `config.json`.
        checkpoint: `Checkpoint` of its `model.weights.h5`.

    Returns:
        A tuple: the `LEDConfig`, the checkpoint under LED's names, the head.
        KerasHub has no bias of the logits; it is 0.

    Raises:
        ValueError: If the config lacks a size.
    """
    values = content.get("config", {})
    lost = [name for name in _REQUIRED if name not in values]
    if lost:
        raise ValueError(
            "The `config` in config.json of a KerasHub BartBackbone must hold "
            f"{', '.join(_REQUIRED)}. Missing: {', '.join(lost)}."
        )
    config = bart_config(
        {
            "vocab_size": values["vocabulary_size"],
            "d_model": values["hidden_dim"],
            "encoder_layers": values["num_layers"],
            "decoder_layers": values["num_layers"],
            "encoder_attention_heads": values["num_heads"],
            "decoder_attention_heads": values["num_heads"],
            "encoder_ffn_dim": values["intermediate_dim"],
            "decoder_ffn_dim": values["intermediate_dim"],
            "dropout": values.get("dropout", 0.1),
            "max_position_embeddings": values.get("max_sequence_length", 1024),
        }
    )
    entries = {}
    for tensor, info in checkpoint.infos.items():
        with reading(info.file, f"hold a BartBackbone, not {tensor}"):
            for name in _led_names(tensor):
                shape = _flat_shape(name, info.shape)
                entries[name] = Entry(tensor, shape, _reshaper(shape))
    mapped = MappedCheckpoint(checkpoint, entries, dialect="tensorflow")
    lengths = {"encoder": config.max_encoder_position_embeddings}
    return config, resize_positions(mapped, lengths), "generation"


def _led_names(tensor):
    """Returns LED's TensorFlow names of a data set of the preset."""
    parts = tensor.split("/")
    if len(parts) < 4 or parts[0] != "layers" or parts[-2] != "vars":
        return [tensor]
    layer, number = _split_number(parts[1])
    leaf = int(parts[-1])
    side = "decoder" if number else "encoder"
    if layer == "reversible_embedding":
        return ["led.shared/led.shared/embeddings:0"]
    if layer == "position_embedding":
        return [f"led/{side}/embed_positions/embeddings:0"]
    if layer == "layer_normalization":
        return [f"led/{side}/layernorm_embedding/{_NORM_LEAVES[leaf]}:0"]
    if layer not in ("transformer_encoder", "transformer_decoder"):
        return [tensor]
    side = layer.removeprefix("transformer_")
    owner = f"led/{side}/layers.{number}"
    if parts[2] in _NORMS:
        return [f"{owner}/{_NORMS[parts[2]]}/{_NORM_LEAVES[leaf]}:0"]
    if parts[2] in _DENSES:
        return [f"{owner}/{_DENSES[parts[2]]}/{_DENSE_LEAVES[leaf]}:0"]
    if parts[2] not in _ATTENTIONS or parts[3] not in _PARTS:
        return [tensor]
    owner = f"{owner}/{_ATTENTIONS[parts[2]]}"
    plain, longformer = _PARTS[parts[3]]
    if side == "decoder":
        return [f"{owner}/{plain}/{_DENSE_LEAVES[leaf]}:0"]
    inner = "" if plain == "out_proj" else "/longformer_self_attn"
    return [
        f"{owner}{inner}/{part}/{_DENSE_LEAVES[leaf]}:0" for part in longformer
    ]


def _split_number(name):
    """`transformer_encoder_1` -> (`transformer_encoder`, 1)."""
    stem, _, number = name.rpartition("_")
    return (stem, int(number)) if number.isdigit() else (name, 0)


def _flat_shape(name, shape):
    """Joins the axes of heads and of their width."""
    if len(shape) == 3:  # (D, N, H) -> (D, N H), (N, H, D) -> (N H, D)
        if "/output/" in name or "/out_proj/" in name:
            return (shape[0] * shape[1], shape[2])
        return (shape[0], shape[1] * shape[2])
    if len(shape) == 2 and name.endswith("/bias:0"):  # (N, H) -> (N H)
        return (shape[0] * shape[1],)
    return shape


def _reshaper(shape):
    return lambda array: array.reshape(shape)

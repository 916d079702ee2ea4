"""KerasHub's names for the sizes of a model, and Hugging Face's."""

from typing import Any

from keras_led.config import LEDConfig

# Arguments of a KerasHub backbone, and the fields of `LEDConfig` that they
# set. The first of two is the encoder's, which the argument is read from.
FIELDS = {
    "vocabulary_size": ("vocab_size",),
    "num_layers": ("encoder_layers", "decoder_layers"),
    "num_heads": ("encoder_attention_heads", "decoder_attention_heads"),
    "hidden_dim": ("d_model",),
    "intermediate_dim": ("encoder_ffn_dim", "decoder_ffn_dim"),
    "dropout": ("dropout",),
    "attention_window": ("attention_window",),
    "max_encoder_sequence_length": ("max_encoder_position_embeddings",),
    "max_decoder_sequence_length": ("max_decoder_position_embeddings",),
}


def config_of(
    arguments: dict[str, Any], others: dict[str, Any] | None = None
) -> LEDConfig:
    """Makes an `LEDConfig` of the arguments of a backbone.

    Args:
        arguments: dict with a value for each of `FIELDS`.
        others: dict of further fields of `LEDConfig`, which win over those
            that the arguments set.

    Returns:
        `LEDConfig`.

    Raises:
        TypeError: If a field is unknown or of a wrong type.
        ValueError: If a value is out of range.
    """
    values = {
        field: arguments[name]
        for name, fields in FIELDS.items()
        for field in fields
    }
    return LEDConfig.from_dict({**values, **(others or {})})


def arguments_of(config: LEDConfig) -> dict[str, Any]:
    """The arguments of a backbone that give a model of this config.

    Args:
        config: `LEDConfig`.

    Returns:
        dict with a value for each of `FIELDS`, and `led_config`, a dict of
        the fields that they do not set or set otherwise.
    """
    arguments = {
        name: getattr(config, fields[0]) for name, fields in FIELDS.items()
    }
    implied = config_of(arguments).to_dict()
    missing = object()
    others = {
        name: value
        for name, value in config.to_dict().items()
        if implied.get(name, missing) != value
    }
    return {**arguments, "led_config": others}

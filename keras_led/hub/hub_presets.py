"""Hugging Face folders as presets, read by the readers of this package.

A preset of KerasHub itself is KerasHub's affair; what is no LED is refused.
"""

from typing import TYPE_CHECKING
from typing import Any

from keras_led.config import CONFIG_NAME
from keras_led.config import LEDConfig
from keras_led.files.hub import read_json
from keras_led.files.hub import resolve
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.tokenizer.led_tokenizer import LEDTokenizer
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.hub.hub_backbone import LEDBackbone

HUGGING_FACE = "hf://"


def source_of(preset: StrPath) -> str:
    """`preset` as the readers of this package call it."""
    return str(preset).removeprefix(HUGGING_FACE)


def find_transformers_config(
    cls: type, preset: StrPath
) -> dict[str, Any] | None:
    """Finds out whether a preset is a Hugging Face folder.

    Args:
        cls: class that is to be read, for messages.
        preset: str or path.

    Returns:
        The content of its `config.json`; `None` for a preset of KerasHub.

    Raises:
        FileNotFoundError: If there is no such preset.
        ValueError: If it holds no LED.
    """
    name = str(preset)
    scheme = name.partition("://")[0] + "://"
    if "://" in name and scheme != HUGGING_FACE:
        return None
    content = read_json(resolve(source_of(preset), CONFIG_NAME))  # pyright: ignore[reportArgumentType]
    if "registered_name" in content:
        found = content.get("class_name")
        # A user's subclass is found by the name that it is registered under.
        foreign = str(content["registered_name"]).startswith("keras_hub>")
        if foreign:
            raise ValueError(_refusal(cls, preset, f"a KerasHub {found}"))
        return None
    if content.get("model_type") != "led":
        found = f"model_type={content.get('model_type')!r}"
        raise ValueError(_refusal(cls, preset, found))
    return content


def _refusal(cls, preset, found):
    return (
        f"`preset` of `{cls.__name__}.from_preset` must hold an LED: a preset "
        "that `save_to_preset` wrote, or a Hugging Face folder of "
        f"model_type='led'. Received: preset={str(preset)!r}, which holds "
        f"{found}. Make an LED of a BART by `keras-led convert`, or ask "
        "`keras_hub.models` for its own class."
    )


def read_backbone(
    cls: "type[LEDBackbone]",
    preset: StrPath,
    load_weights: bool = True,
    dtype: Any = None,
    **kwargs: Any,
) -> Any:
    """Reads the backbone, and the generation settings, of a folder.

    Args:
        cls: `LEDBackbone` or a subclass.
        preset: str or path.
        load_weights: bool, `False` for fresh weights.
        dtype: str or Keras dtype policy, or `None`.
        **kwargs: `name` and `trainable`.

    Returns:
        An instance of `cls`.
    """
    source = source_of(preset)
    if load_weights:
        led = LEDForConditionalGeneration.from_pretrained(source, dtype=dtype)
    else:
        config = LEDConfig.from_pretrained(source)
        led = LEDForConditionalGeneration(config, dtype=dtype)
        led.use_settings(GenerationConfig.from_pretrained(source))
    return cls.from_led(led, **kwargs)


def read_tokenizer(preset: StrPath) -> LEDTokenizer:
    """Reads the tokenizer of a Hugging Face folder."""
    return LEDTokenizer.from_pretrained(source_of(preset))


def read_limits(content: dict[str, Any]) -> dict[str, int]:
    """Arguments of a preprocessor that a `config.json` gives."""
    config = LEDConfig.from_dict(content)
    return {
        "encoder_sequence_length": config.max_encoder_position_embeddings,
        "decoder_sequence_length": config.max_decoder_position_embeddings,
        "decoder_start_token_id": config.decoder_start_token_id,
    }

"""Finds out what a checkpoint is, and reads it as an LED."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.checkpoints.checkpoint import open_checkpoint
from keras_led.checkpoints.families.allenai import is_allenai
from keras_led.checkpoints.families.allenai import read_allenai
from keras_led.checkpoints.families.bart import read_bart
from keras_led.checkpoints.families.hugging_face import read_led
from keras_led.checkpoints.families.keras_hub import read_keras_hub
from keras_led.checkpoints.positions import resize_positions
from keras_led.checkpoints.side_files import read_side_files
from keras_led.checkpoints.weight_set import make_weight_set
from keras_led.config import CONFIG_NAME
from keras_led.files.hub import read_json
from keras_led.files.hub import resolve
from keras_led.files.reading import reading
from keras_led.files.together import read_together
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.checkpoints.weight_set import WeightSet

FAMILIES = {
    "led": read_led,
    "allenai": read_allenai,
    "bart": read_bart,
    "keras_hub": read_keras_hub,
}
KERAS_HUB_WEIGHTS = "model.weights.h5"


def read_source(
    name_or_path: StrPath,
    *,
    family: str | None = None,
    max_encoder_positions: int | None = None,
    max_decoder_positions: int | None = None,
    attention_window: int | list[int] | None = None,
    **hub_options: Any,
) -> "WeightSet":
    """Opens a checkpoint of any family as an LED.

    Args:
        name_or_path: str or path: a directory, or a Hugging Face hub id.
        family: str, one of `FAMILIES`. Defaults to what the files say.
        max_encoder_positions: int, new length of the encoder's position
            table, in tokens. Defaults to that of an LED, and to 16,384 for
            other families.
        max_decoder_positions: int, new length of the decoder's table.
        attention_window: int or list, replaces that of the source; tokens on
            both sides together.
        **hub_options: see `keras_led.files.resolve`.

    Returns:
        A `WeightSet`; close it after use.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If it is damaged, of no known family, or does not fit its
            config.
    """
    told = family is not None
    path, content, family, side_files, checkpoint = read_together(
        name_or_path,
        lambda: _open_source(name_or_path, family, hub_options),
        subfolder=hub_options.get("subfolder", ""),
        discard=lambda opened: opened[-1].close(),
    )
    try:
        if family == "allenai" and not (
            told or is_allenai(content, checkpoint)
        ):
            family = "led"
        with reading(path, f"describe a checkpoint of the family {family}"):  # pyright: ignore[reportArgumentType]
            config, checkpoint, head = FAMILIES[family](content, checkpoint)
        changes = {
            "max_encoder_position_embeddings": max_encoder_positions,
            "max_decoder_position_embeddings": max_decoder_positions,
            "attention_window": attention_window,
        }
        changes = {k: v for k, v in changes.items() if v is not None}
        config.update(**changes)
        checkpoint = resize_positions(
            checkpoint,
            {
                "encoder": max_encoder_positions,
                "decoder": max_decoder_positions,
            },
        )
        local = Path(name_or_path).expanduser()
        source = local.resolve().name if local.is_dir() else str(name_or_path)
        return make_weight_set(
            config, head, checkpoint, family, path.parent, source, side_files
        )
    except BaseException:
        checkpoint.close()
        raise


def _open_source(name_or_path, family, hub_options):
    path = resolve(name_or_path, CONFIG_NAME, **hub_options)
    content = read_json(path)  # pyright: ignore[reportArgumentType]
    family = detect_family(content, path) if family is None else family  # pyright: ignore[reportArgumentType]
    if family not in FAMILIES:
        raise ValueError(
            f"`family` must be one of {', '.join(FAMILIES)}. "
            f"Received: family={family!r}."
        )
    weights = name_or_path
    if family == "keras_hub":
        weights = resolve(name_or_path, KERAS_HUB_WEIGHTS, **hub_options)
        hub_options = {}
    side_files = read_side_files(path.parent, family)
    checkpoint = open_checkpoint(weights, **hub_options)  # pyright: ignore[reportArgumentType]
    return path, content, family, side_files, checkpoint


def detect_family(content: dict[str, Any], path: Path) -> str:
    """Finds out the family of a checkpoint from its `config.json`.

    Args:
        content: dict, the content of the file.
        path: path of the file, for messages.

    Returns:
        str, one of `FAMILIES`. "allenai" where the config holds their keys,
        which an LED of Hugging Face may have kept: ask `is_allenai`.

    Raises:
        ValueError: If it is none of them.
    """
    if content.get("class_name") == "BartBackbone":
        return "keras_hub"
    if "attention_mode" in content or "attention_dilation" in content:
        return "allenai"
    model_type = content.get("model_type")
    if model_type in ("led", "bart"):
        return model_type
    raise ValueError(
        f"{path} must describe an LED, an AllenAI Longformer "
        "encoder-decoder, a BART, or a KerasHub BartBackbone. Received: "
        f"model_type={model_type!r}, class_name={content.get('class_name')!r}."
    )

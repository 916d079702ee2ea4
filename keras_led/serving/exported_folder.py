"""What lies beside an exported model: its configs and its tokenizer.

Read without Keras.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from keras_led.config import LEDConfig
from keras_led.generation.options.generation_config import (
    GENERATION_CONFIG_NAME,
)
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.tokenizer.led_tokenizer import LEDTokenizer
from keras_led.typing import GeneratingLED
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan

CONFIG = "config.json"
# Any of them means that there is a tokenizer.
_TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "tokenizer_config.json")


class ExportedFolder(NamedTuple):
    """What was read of a folder.

    Attributes:
        path: `pathlib.Path`.
        config: `LEDConfig`.
        generation_config: `GenerationConfig`.
        tokenizer: `LEDTokenizer`, or `None`.
    """

    path: Path
    config: LEDConfig
    generation_config: GenerationConfig
    tokenizer: LEDTokenizer | None


def write_folder(
    directory: Path,
    model: GeneratingLED,
    tokenizer: LEDTokenizer | None,
    options: dict[str, Any],
) -> None:
    """Writes what `read_folder` reads, beside the model's own files.

    Args:
        directory: `pathlib.Path` of an existing directory.
        model: `LEDForConditionalGeneration`.
        tokenizer: `LEDTokenizer`, or `None` for no text.
        options: dict of generation options that replace the model's.
    """
    model.config.save_pretrained(directory)
    # `None` asks for an option's other default, which no file can hold.
    filled = GenerationConfig().resolve(model.generation_config, **options)
    options = {
        name: filled[name] if value is None else value
        for name, value in options.items()
    }
    model.generation_config.copy(**options).save_pretrained(directory)
    if tokenizer is not None:
        tokenizer.save_pretrained(directory)


def read_folder(
    folder: StrPath, files: Collection[str], format: str
) -> ExportedFolder:
    """Reads an exported folder, once it is found to hold what it should.

    Args:
        folder: str or path.
        files: names of the files of the model.
        format: str, the format of `export` that writes such a folder.

    Returns:
        `ExportedFolder`.

    Raises:
        FileNotFoundError: If the folder or a file is missing.
        ValueError: If a file is damaged.
    """
    path = Path(folder)
    if not path.is_dir():
        raise FileNotFoundError(
            "`folder` must be a directory that `keras-led export --format "
            f"{format}` wrote. Received: folder={str(folder)!r}, which "
            f"{'is a file' if path.exists() else 'does not exist'}."
        )
    needed = [*files, CONFIG, GENERATION_CONFIG_NAME]
    missing = [name for name in needed if not (path / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"`folder` must hold {', '.join(needed)}. Received: "
            f"folder={str(folder)!r}, without {', '.join(missing)}. Write it "
            f"with `keras-led export --format {format}`."
        )
    has_text = any((path / name).exists() for name in _TOKENIZER_FILES)
    return ExportedFolder(
        path,
        LEDConfig.from_pretrained(path),
        GenerationConfig.from_pretrained(path),
        LEDTokenizer.from_pretrained(path) if has_text else None,
    )


def tokenizer_of(found: ExportedFolder) -> LEDTokenizer:
    """The tokenizer of a folder.

    Raises:
        ValueError: If there is none.
    """
    if found.tokenizer is None:
        raise ValueError(
            "`summarize` needs a tokenizer. Received: folder="
            f"{str(found.path)!r}, which was exported without one. Export it "
            "with a tokenizer, or pass token ids to `generate`."
        )
    return found.tokenizer


def check_ids(input_ids: Any) -> None:
    """Refuses texts where token ids are meant.

    Raises:
        TypeError: If `input_ids` is missing or made of texts.
    """
    first = input_ids
    while isinstance(first, list | tuple) and first:
        first = first[0]
    if first is None or isinstance(first, str | bytes):
        raise TypeError(
            "`input_ids` must be integers of the shape (documents, tokens). "
            f"Received: input_ids={input_ids!r:.80}. For texts there is "
            "`summarize`."
        )


def check_mode(plan: "Plan") -> None:
    """Refuses options that an exported model cannot follow.

    Raises:
        ValueError: If one is set.
    """
    options = plan.options
    refused = {
        name: options[name]
        for name in ("stop_strings", "max_time")
        if options[name] is not None
    }
    refused |= {
        name: options[name]
        for name in (
            "return_dict_in_generate",
            "output_scores",
            "output_logits",
            "output_attentions",
            "output_hidden_states",
        )
        if options[name]
    }
    if not options["use_cache"]:
        refused["use_cache"] = False
    if plan.mode == "contrastive":
        refused["penalty_alpha"] = options["penalty_alpha"]
    if plan.mode == "lookup":
        name = "prompt_lookup_num_tokens"
        refused[name] = options[name]
    for name, value in refused.items():
        raise ValueError(
            f"`{name}` is not offered by exported models, which write token "
            "ids by greedy search, sampling or beam search. Received: "
            f"{name}={value!r}. Leave it out, or use the model itself."
        )

"""What is refused before an export begins."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.files.publishing import holds_something
from keras_led.generation.inputs.strategy import Plan
from keras_led.generation.inputs.strategy import make_plan
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.serving.exported_folder import check_mode

if TYPE_CHECKING:
    from keras_led.config import LEDConfig

# Those that generate, and the one that does not.
GENERATING = ("saved_model", "onnx", "openvino")
FORMATS = (*GENERATING, "litert")
# Kinds of numbers that `quantize` makes of the weights.
QUANTIZED = ("int8",)
# Sizes of the one shape that LiteRT runs.
SIZES: tuple[str, ...] = ("batch_size", "length", "target_length")
# What a graph cannot do: run Python between two tokens.
_PYTHON_OPTIONS = ("stop_strings", "max_time")


def check_format(format: str) -> str:
    """Returns `format`, if it is one.

    Raises:
        ValueError: If it is none.
    """
    if format not in FORMATS:
        raise ValueError(
            f"`format` must be one of {', '.join(FORMATS)}. "
            f"Received: format={format!r}."
        )
    return format


def check_target(path: Path, overwrite: bool) -> None:
    """Refuses a directory that holds something.

    Raises:
        FileExistsError: If it does and `overwrite` is `False`.
    """
    if path.is_dir() and holds_something(path) and not overwrite:
        raise FileExistsError(
            "`path` must be a new or an empty directory. "
            f"Received: path={path}, which is not empty. Pass "
            "overwrite=True (--force) to replace it."
        )


def check_quantize(quantize: str | None, format: str) -> None:
    """Refuses another kind of numbers, or another format than ONNX.

    Raises:
        ValueError: If `quantize` is given and does not fit.
    """
    if quantize is None:
        return
    if quantize not in QUANTIZED:
        raise ValueError(
            f"`quantize` must be {' or '.join(map(repr, QUANTIZED))}. "
            f"Received: quantize={quantize!r}."
        )
    if format != "onnx":
        raise ValueError(
            "`quantize` is for format='onnx', whose runtime has integer "
            f"products. Received: quantize={quantize!r}, format={format!r}."
        )


def check_limit_input(wanted: bool, format: str) -> None:
    """Refuses `max_new_tokens_input` where every request has it.

    Raises:
        ValueError: If it is asked for and does not fit.
    """
    if wanted and format != "saved_model":
        raise ValueError(
            "`max_new_tokens_input` is for format='saved_model': what is "
            "exported for ONNX or OpenVINO takes `max_new_tokens` in every "
            f"call. Received: format={format!r}. Leave it out."
        )


def check_no_generation(format: str, given: dict[str, Any]) -> None:
    """Refuses what a format that generates nothing cannot do.

    Raises:
        ValueError: If a value of `given` is not `None`.
    """
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise ValueError(
            f"`{names[0]}` needs a format that generates, one of "
            f"{', '.join(GENERATING)}: a model in format {format!r} encodes "
            "token ids and gives logits, and neither generates nor takes "
            "text. Leave it out."
        )


def check_sizes(
    format: str, sizes: dict[str, int | None], config: "LEDConfig"
) -> dict[str, Any]:
    """Returns the sizes that LiteRT needs, or an empty dict.

    Raises:
        ValueError: If one is missing, out of range, or of no use.
    """
    if format != "litert":
        given = [name for name, value in sizes.items() if value is not None]
        if given:
            raise ValueError(
                f"`{given[0]}` is for format='litert'; the other formats take "
                f"any shape. Received: {given[0]}={sizes[given[0]]}, "
                f"format={format!r}."
            )
        return {}
    limits = {
        "batch_size": None,
        "length": config.max_encoder_position_embeddings,
        "target_length": config.max_decoder_position_embeddings,
    }
    sizes = {**sizes, "batch_size": sizes["batch_size"] or 1}
    for name, limit in limits.items():
        size = sizes[name]
        if isinstance(size, int) and 1 <= size <= (limit or size):
            continue
        bound = f"from 1 to {limit}" if limit else "of at least 1"
        raise ValueError(
            f"`{name}` must be a number {bound}: LiteRT runs one shape. "
            f"Received: {name}={size!r}."
        )
    return sizes


def exported_plan(model: Any, options: dict[str, Any], format: str) -> Plan:
    """The generation of an export, found to be one that a graph can do.

    Args:
        model: has `config` and `generation_config`.
        options: dict of generation options that replace the model's.
        format: str, one of `GENERATING`.

    Raises:
        TypeError: If an option is unknown.
        ValueError: If an option does not fit.
    """
    own = GenerationConfig().resolve(model.generation_config, **options)
    plan = make_plan(
        own,
        prompt_length=1,
        limit=model.config.max_decoder_position_embeddings,
        vocab_size=model.config.vocab_size,
        explicit=set(options),
    )
    options = plan.options
    python = [name for name in _PYTHON_OPTIONS if options[name] is not None]
    if python:
        raise ValueError(
            f"`{python[0]}` runs Python between two tokens, which an export "
            f"cannot. Received: {python[0]}={options[python[0]]!r}. Leave it "
            "out."
        )
    if plan.mode not in ("token", "beam"):
        raise ValueError(
            "Greedy search, sampling and beam search can be exported. "
            f"Received: options of {plan.mode} search."
        )
    if format != "saved_model":
        check_mode(plan)
    return plan

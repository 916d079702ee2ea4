"""Writing a model for other programs, whatever backend trained it."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led import backend
from keras_led.files.atomic import replaced_directory
from keras_led.files.publishing import holds_something
from keras_led.formats.other_process import export_elsewhere
from keras_led.generation.inputs.strategy import make_plan
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.typing import GeneratingLED
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

FORMATS = ("saved_model", "onnx", "litert")
# Sizes of the one shape that LiteRT runs.
SIZES = ("batch_size", "length", "target_length")
# What a graph cannot do: run Python between two tokens.
_PYTHON_OPTIONS = ("stop_strings", "max_time")


def export(
    model: GeneratingLED,
    path: StrPath,
    tokenizer: "LEDTokenizer | None" = None,
    *,
    format: str = "saved_model",
    overwrite: bool = False,
    max_new_tokens_input: bool = False,
    batch_size: int | None = None,
    length: int | None = None,
    target_length: int | None = None,
    **options: Any,
) -> Path:
    """Writes a model that runs without keras_led.

    A SavedModel needs TensorFlow, and with a tokenizer tensorflow-text. Its
    signatures:

    - `serving_default`: `input_ids` and `attention_mask`, int32 `(B, L)`, to
      `sequences`, int32 `(B * num_return_sequences, T)`; with beams also
      `sequences_scores`. Global attention is on the first token.
    - `summarize`, with a tokenizer: `text`, string `(B,)`, to `summary`.
      Longer texts are cut to what the model reads.
    - `encode`: `input_ids`, `attention_mask`, `global_attention_mask` to
      `last_hidden_state`, float32 `(B, L, D)`.
    - `forward`: those and `decoder_input_ids` to `logits`.

    The tokens are exactly those of `model.generate`. `assets.extra` holds
    requests with which TensorFlow Serving warms up.

    ONNX and LiteRT have the last two: `encode.onnx` and `forward.onnx`, of any
    batch and length; `model.tflite` with two signatures, of one shape.

    Args:
        model: `LEDForConditionalGeneration`, of any backend. Under JAX and
            PyTorch a process of its own, with TensorFlow, writes it.
        path: str or path of a new directory.
        tokenizer: `LEDTokenizer`, or `None` for no text.
        format: `"saved_model"`, `"onnx"` (needs tf2onnx) or `"litert"`.
        overwrite: bool, replace what is at `path`, once the new export is
            complete.
        max_new_tokens_input: bool, let `serving_default` and `summarize` take
            `max_new_tokens`, an int32 scalar, at most the exported one.
        batch_size: int, for LiteRT; 1 by default.
        length: int, tokens of a document, for LiteRT, which pads no input.
        target_length: int, tokens of `decoder_input_ids`, for LiteRT.
        **options: generation options that are fixed in a SavedModel; the
            others are `model.generation_config`'s.

    Returns:
        `pathlib.Path` of the export.

    Raises:
        FileExistsError: If `path` is not empty and `overwrite` is `False`.
        ImportError: If `format` needs a package that is not installed.
        TypeError: If an option is unknown.
        ValueError: If an option cannot be exported, or does not fit.
        RuntimeError: If the process with TensorFlow fails.
    """
    path = Path(path)
    check_target(path, overwrite)
    sizes = dict(zip(SIZES, (batch_size, length, target_length), strict=True))
    plan = None
    if check_format(format) == "saved_model":
        plan = _make_plan(model, options)
    else:
        generation = {
            "tokenizer": tokenizer,
            "max_new_tokens_input": max_new_tokens_input or None,
            **options,
        }
        _check_no_generation(format, generation)
    sizes = _check_sizes(format, sizes, model.config)
    if backend.name != "tensorflow":
        flags = {
            "format": format,
            "force": overwrite or None,
            "max_new_tokens_input": max_new_tokens_input or None,
            **sizes,
        }
        export_elsewhere(model, path, tokenizer, flags, options)
        return path
    with replaced_directory(path, overwrite) as staging:
        # Here, since they need TensorFlow.
        from keras_led.serving import other_formats
        from keras_led.serving import saved_model

        if format == "onnx":
            other_formats.write_onnx_files(model, staging)
        elif format == "litert":
            other_formats.write_litert_file(model, staging, **sizes)
        else:
            saved_model.write_saved_model(
                model,
                staging,
                plan,  # pyright: ignore[reportArgumentType]
                tokenizer,
                max_new_tokens_input,
            )
    return path


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


def _check_no_generation(format, given):
    """Refuses what only a SavedModel can do.

    The loop that writes tokens and the tokenizer of the text signature are
    made of TensorFlow operations that the other formats lack.
    """
    given = [name for name, value in given.items() if value is not None]
    if given:
        raise ValueError(
            f"`{given[0]}` needs format='saved_model': a model in format "
            f"{format!r} encodes token ids and gives logits, and neither "
            "generates nor takes text. Leave it out."
        )


def _check_sizes(format, sizes, config):
    """Returns the sizes that LiteRT needs, or an empty dict."""
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


def _make_plan(model, options):
    own = GenerationConfig().resolve(model.generation_config, **options)
    plan = make_plan(
        own,
        prompt_length=1,
        limit=model.config.max_decoder_position_embeddings,
        vocab_size=model.config.vocab_size,
        explicit=set(options),
    )
    _check_plan(plan)
    return plan


def _check_plan(plan):
    """Refuses what a graph cannot do."""
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

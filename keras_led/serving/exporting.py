"""Writing a model for other programs, whatever backend trained it."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led import backend
from keras_led.files.atomic import replaced_directory
from keras_led.formats.other_process import export_elsewhere
from keras_led.serving.export_checks import GENERATING
from keras_led.serving.export_checks import SIZES
from keras_led.serving.export_checks import check_format
from keras_led.serving.export_checks import check_limit_input
from keras_led.serving.export_checks import check_no_generation
from keras_led.serving.export_checks import check_quantize
from keras_led.serving.export_checks import check_sizes
from keras_led.serving.export_checks import check_target
from keras_led.serving.export_checks import exported_plan
from keras_led.typing import GeneratingLED
from keras_led.typing import StrPath

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


def export(
    model: GeneratingLED,
    path: StrPath,
    tokenizer: "LEDTokenizer | None" = None,
    *,
    format: str = "saved_model",
    overwrite: bool = False,
    max_new_tokens_input: bool = False,
    quantize: str | None = None,
    batch_size: int | None = None,
    length: int | None = None,
    target_length: int | None = None,
    **options: Any,
) -> Path:
    """Writes a model that runs without keras_led.

    Every format but LiteRT generates, by greedy and beam search exactly the
    tokens of `model.generate`, by sampling from the same probabilities, and
    with a tokenizer takes text.

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

    `assets.extra` holds requests with which TensorFlow Serving warms up.

    ONNX is a directory as Optimum and transformers.js read it:
    `encoder_model.onnx`, `decoder_model_merged.onnx`, the configs and the
    tokenizer. `OnnxLED` generates from it.

    OpenVINO is `openvino_model.xml` and `.bin`, from documents to generated
    ids, with the configs and the tokenizer, for `OpenVINOLED`.

    LiteRT has the last two signatures, in `model.tflite`, of one shape.

    Args:
        model: `LEDForConditionalGeneration`, of any backend. Under JAX and
            PyTorch a process of its own, with TensorFlow, writes it.
        path: str or path of a new directory.
        tokenizer: `LEDTokenizer`, or `None` for no text.
        format: `"saved_model"`, `"onnx"` (needs tf2onnx), `"openvino"` or
            `"litert"`.
        overwrite: bool, replace what is at `path`, once the new export is
            complete.
        max_new_tokens_input: bool, let `serving_default` and `summarize` take
            `max_new_tokens`, an int32 scalar, at most the exported one.
        quantize: `"int8"` for 8-bit weights, for ONNX, or `None`.
        batch_size: int, for LiteRT; 1 by default.
        length: int, tokens of a document, for LiteRT, which pads no input.
        target_length: int, tokens of `decoder_input_ids`, for LiteRT.
        **options: generation options; the others are
            `model.generation_config`'s. In a SavedModel and in OpenVINO they
            are fixed; of ONNX they are what `OnnxLED` starts from.

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
    if check_format(format) in GENERATING:
        check_limit_input(max_new_tokens_input, format)
        plan = exported_plan(model, options, format)
    else:
        generation = {
            "tokenizer": tokenizer,
            "max_new_tokens_input": max_new_tokens_input or None,
            **options,
        }
        check_no_generation(format, generation)
    check_quantize(quantize, format)
    sizes = check_sizes(format, sizes, model.config)
    if backend.name != "tensorflow":
        flags = {
            "format": format,
            "force": overwrite or None,
            "max_new_tokens_input": max_new_tokens_input or None,
            "quantize": quantize,
            **sizes,
        }
        export_elsewhere(model, path, tokenizer, flags, options)
        return path
    with replaced_directory(path, overwrite) as staging:
        # Here, since they need TensorFlow.
        from keras_led.serving import export_writers

        export_writers.write(
            model,
            staging,
            format,
            plan,
            tokenizer,
            options,
            max_new_tokens_input=max_new_tokens_input,
            quantized=quantize is not None,
            sizes=sizes,
        )
    return path

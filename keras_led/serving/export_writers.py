"""The writer of each format of `export`, under TensorFlow."""

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.formats.openvino import write_openvino
from keras_led.formats.packages import load_openvino
from keras_led.serving import litert_file
from keras_led.serving import onnx_folder
from keras_led.serving import saved_model
from keras_led.serving.exported_folder import write_folder
from keras_led.serving.openvino_functions import OpenVINOModule
from keras_led.serving.openvino_led import MODEL
from keras_led.typing import GeneratingLED

if TYPE_CHECKING:
    from keras_led.generation.inputs.strategy import Plan
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


def write(
    model: GeneratingLED,
    directory: Path,
    format: str,
    plan: "Plan | None",
    tokenizer: "LEDTokenizer | None",
    options: dict[str, Any],
    *,
    max_new_tokens_input: bool,
    quantized: bool,
    sizes: dict[str, Any],
) -> None:
    """Writes an export into an existing directory.

    Args:
        model: `LEDForConditionalGeneration`, under TensorFlow.
        directory: `pathlib.Path`.
        format: str, one of the formats of `export`.
        plan: `Plan`; `None` for a format that does not generate.
        tokenizer: `LEDTokenizer`, or `None` for no text.
        options: dict of generation options of the call.
        max_new_tokens_input: bool, see `export`.
        quantized: bool, whether weights become int8.
        sizes: dict of the sizes for LiteRT.

    Raises:
        ImportError: If a package of the format is not installed.
        ValueError: If the model does not fit the format.
    """
    if format == "litert":
        litert_file.write_litert_file(model, directory, **sizes)
        return
    assert plan is not None  # noqa: S101
    if format == "saved_model":
        saved_model.write_saved_model(
            model, directory, plan, tokenizer, max_new_tokens_input
        )
        return
    if format == "onnx":
        onnx_folder.write_onnx_files(model, directory, quantized)
    else:
        load_openvino()  # before the long work
        module = OpenVINOModule(model, plan)
        write_openvino(
            module, module.generate_any, module.inputs(), directory / MODEL
        )
    write_folder(directory, model, tokenizer, options)

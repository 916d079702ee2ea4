"""A LiteRT file of the encoder and of the whole forward pass."""

from pathlib import Path

from keras_led.formats.forward_pass import ForwardModule
from keras_led.formats.litert import write_litert
from keras_led.serving.signatures import pure_functions
from keras_led.typing import GeneratingLED

LITERT_FILE = "model.tflite"


def write_litert_file(
    model: GeneratingLED,
    directory: Path,
    batch_size: int,
    length: int,
    target_length: int,
) -> None:
    """Writes `model.tflite` with the signatures `encode` and `forward`.

    Args:
        model: `LEDForConditionalGeneration`, under TensorFlow.
        directory: `pathlib.Path` of an existing directory.
        batch_size: int, `B`.
        length: int, tokens of a document, `L`; shorter ones are padded.
        target_length: int, tokens of `decoder_input_ids`, `T`.
    """
    module = ForwardModule(model, one_shape=True)
    functions = pure_functions(
        module, batch=batch_size, length=length, target_length=target_length
    )
    write_litert(module, functions, directory / LITERT_FILE)

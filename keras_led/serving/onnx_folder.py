"""Writing a folder of ONNX files that generate.

Its layout and names are Optimum's, which transformers.js reads too.
"""

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_led.formats.onnx import write_onnx
from keras_led.formats.onnx_merging import merge_branches
from keras_led.formats.onnx_quantizing import quantize
from keras_led.serving.onnx_functions import FIRST_TOKEN
from keras_led.serving.onnx_functions import WEIGHTS
from keras_led.serving.onnx_functions import OnnxModule
from keras_led.serving.onnx_functions import free_axes
from keras_led.serving.onnx_sessions import DECODER
from keras_led.serving.onnx_sessions import ENCODER
from keras_led.typing import GeneratingLED


def write_onnx_files(
    model: GeneratingLED, directory: Path, quantized: bool = False
) -> None:
    """Writes `encoder_model.onnx` and `decoder_model_merged.onnx`.

    Args:
        model: `LEDForConditionalGeneration`, under TensorFlow.
        directory: `pathlib.Path` of an existing directory.
        quantized: bool, whether the weights become int8.

    Raises:
        ImportError: If tf2onnx, or onnxruntime for `quantized`, is not
            installed.
        ValueError: If the weights are too large for an ONNX file.
    """
    module = OnnxModule(model, max_global_tokens=math.inf)
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, (function, inputs) in module.functions().items():
            files[name] = Path(folder) / f"{name}.onnx"
            write_onnx(module, function, inputs, files[name])
            if quantized:
                smaller = Path(folder) / f"{name}_int8.onnx"
                quantize(files[name], smaller)
                files[name] = smaller
        merge_branches(files["first"], files["next"], directory / DECODER)
        _finish(directory / DECODER, directory / DECODER)
        default = {"global_attention_mask": FIRST_TOKEN}
        _finish(files["encoder"], directory / ENCODER, default)


def _finish(
    source: Path, path: Path, defaults: dict[str, int] | None = None
) -> None:
    """Names the axes of inputs and outputs, and lets inputs be left out."""
    import onnx
    from onnx import numpy_helper

    loaded: Any = onnx.load(source)
    graph = loaded.graph
    # Those that may be left unread go last.
    outputs = sorted(graph.output, key=lambda x: x.name.startswith(WEIGHTS))
    del graph.output[:]
    graph.output.extend(outputs)
    for value in (*graph.input, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        names = free_axes(value.name, in_decoder=path.name == DECODER)
        for size, name in zip(sizes, names, strict=False):
            if name is not None:
                size.dim_param = name
    for name, number in (defaults or {}).items():
        array = np.full((1, 1), number, "int64")
        graph.initializer.append(numpy_helper.from_array(array, name))
    onnx.save(loaded, path)

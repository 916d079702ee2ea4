"""ONNX files of the encoder and of the whole forward pass.

tf2onnx translates the graphs of the SavedModel's signatures, of any batch and
any length, with their loops.
"""

import contextlib
import math
from unittest import mock

import numpy as np
import tensorflow as tf

from keras_led.serving.signatures import ServedModel

OPSET = 18
OPTIMIZERS = ("fold_constants", "merge_duplication", "remove_identity")
# Of a protocol buffers message, which an ONNX file is.
MAX_BYTES = 2**31 - 2**20


def write_onnx(model, directory):
    """Writes `encode.onnx` and `forward.onnx`, each with its weights.

    Args:
        model: `LEDForConditionalGeneration`, under TensorFlow.
        directory: `pathlib.Path` of an existing directory.

    Raises:
        ImportError: If tf2onnx is not installed.
        ValueError: If the weights are too large for an ONNX file.
    """
    try:
        import tf2onnx
        import tf2onnx.optimizer
    except ImportError as error:
        raise ImportError(
            "ONNX files are written with tf2onnx, which is not installed. "
            "Run: pip install 'keras-led[onnx]'"
        ) from error
    size = sum(
        np.prod(v.shape, dtype=int) * tf.as_dtype(v.dtype).size
        for v in model.variables
    )
    if size > MAX_BYTES:
        raise ValueError(
            "`model` must have less than 2 GB of weights: an ONNX file holds "
            f"no more. Received: {size / 1e9:.1f} GB. Export a SavedModel."
        )
    served = ServedModel(model, max_global_tokens=math.inf)
    for name, (function, inputs) in served.pure_functions().items():
        graph = tf.function(
            function, input_signature=list(inputs), autograph=False
        )
        with _sound_optimizers(tf2onnx.optimizer):
            tf2onnx.convert.from_function(
                graph,
                input_signature=list(inputs),
                opset=OPSET,
                custom_op_handlers={"Erfc": (_erfc, [])},
                output_path=str(directory / f"{name}.onnx"),
            )


@contextlib.contextmanager
def _sound_optimizers(module):
    """Leaves those optimizers of tf2onnx out that are wrong here, or slow.

    `reshape_optimizer` of 1.17 writes 0 for "as in the input" into shapes, and
    `remove_back_to_back` then gives the reshape another input. Runtimes
    optimize the graph themselves when they load it.
    """
    kept = {name: module._get_optimizers()[name] for name in OPTIMIZERS}
    with mock.patch.object(module, "_get_optimizers", lambda: kept):
        yield


def _erfc(graph, node, name, arguments):
    """Translates TensorFlow's Erfc, of GELU, to `1 - Erf`."""
    node.type = "Erf"
    one = graph.make_const(f"{name}_one", np.float32(1))
    difference = graph.insert_new_node_on_output(
        "Sub", node.output[0], name=f"{name}_complement"
    )
    graph.replace_inputs(difference, [one.output[0], node.output[0]])

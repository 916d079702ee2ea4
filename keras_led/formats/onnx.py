"""ONNX files of functions of a model.

tf2onnx translates their graphs, of any batch and any length, with their loops.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from keras_led.formats.forward_pass import ForwardModule

OPSET = 18
OPTIMIZERS = ("fold_constants", "merge_duplication", "remove_identity")
# Of a protocol buffers message, which an ONNX file is.
MAX_BYTES = 2**31 - 2**20


def load_converter() -> ModuleType:
    """The `tf2onnx` package, with its optimizer.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import tf2onnx
        import tf2onnx.optimizer
    except ImportError as error:
        raise ImportError(
            "ONNX files are written with tf2onnx, which is not installed. "
            "Run: pip install 'keras-led[onnx]'"
        ) from error
    return tf2onnx


def write_onnx(
    module: "ForwardModule",
    function: Callable[..., Any],
    inputs: dict[str, Any],
    path: Path,
    opset: int = OPSET,
) -> None:
    """Writes a function of a model, with its weights.

    Args:
        module: `ForwardModule`, for as many global tokens as a batch has.
        function: what to write, one of the module's.
        inputs: dict of the `TensorSpec`s of its inputs.
        path: `pathlib.Path` of the file.
        opset: int, version of ONNX's operations.

    Raises:
        ImportError: If tf2onnx is not installed.
        ValueError: If the weights are too large for an ONNX file.
    """
    tf2onnx = load_converter()
    size = sum(
        weight.shape.num_elements() * weight.dtype.size
        for weight in module.weights
    )
    if size > MAX_BYTES:
        raise ValueError(
            "`model` must have less than 2 GB of weights: an ONNX file holds "
            f"no more. Received: {size / 1e9:.1f} GB. Export a SavedModel."
        )
    signature = [
        tf.TensorSpec(spec.shape, spec.dtype, name)
        for name, spec in inputs.items()
    ]

    def by_position(*tensors):
        return function(**dict(zip(inputs, tensors, strict=True)))

    graph = tf.function(by_position, input_signature=signature, autograph=False)
    with _sound_optimizers(tf2onnx.optimizer):
        tf2onnx.convert.from_function(
            graph,
            input_signature=signature,
            opset=opset,
            custom_op_handlers={"Erfc": (_erfc, [])},
            output_path=str(path),
        )


@contextlib.contextmanager
def _sound_optimizers(module):
    """Leaves those optimizers of tf2onnx out that are wrong here, or slow.

    `reshape_optimizer` of 1.17 writes 0 for "as in the input" into shapes, and
    `remove_back_to_back` then gives the reshape another input. Runtimes
    optimize the graph themselves when they load it.
    """
    every = module._get_optimizers
    kept = {name: every()[name] for name in OPTIMIZERS}
    module._get_optimizers = lambda: kept
    try:
        yield
    finally:
        module._get_optimizers = every


def _erfc(graph, node, name, arguments):
    """Translates TensorFlow's Erfc, of GELU, to `1 - Erf`."""
    node.type = "Erf"
    one = graph.make_const(f"{name}_one", np.float32(1))
    difference = graph.insert_new_node_on_output(
        "Sub", node.output[0], name=f"{name}_complement"
    )
    graph.replace_inputs(difference, [one.output[0], node.output[0]])

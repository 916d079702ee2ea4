"""`model.export` under TensorFlow: the forward pass of any LED model."""

import itertools
import math
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_led.files.atomic import replaced_directory
from keras_led.files.atomic import staged_directory
from keras_led.files.atomic import staged_file
from keras_led.formats import litert
from keras_led.formats import onnx
from keras_led.formats import openvino
from keras_led.formats.forward_pass import ForwardModule
from keras_led.formats.forward_pass import longest_document
from keras_led.formats.forward_pass import specs
from keras_led.formats.forward_pass import trace
from keras_led.formats.forward_saved_model import write_saved_model
from keras_led.formats.packages import load_openvino
from keras_led.typing import AnyLED

SIGNATURE = "serving_default"


def write_model(
    model: AnyLED,
    path: Path,
    format: str,
    inputs: dict[str, Any] | None = None,
    positional: bool = False,
    opset: int | None = None,
) -> None:
    """Writes the forward pass of a model.

    Args:
        model: an LED model, with any head, under TensorFlow.
        path: `pathlib.Path` of the directory or the file.
        format: `"tf_saved_model"`, `"onnx"`, `"openvino"` or `"litert"`.
        inputs: dict of name to a pair of shape and dtype, or `None` for the
            model's `export_inputs`.
        positional: bool, whether `serve` of a SavedModel takes `inputs` one
            after another and not as a dict.
        opset: int, of ONNX, or `None`.

    Raises:
        ImportError: If the format needs a package that is not installed.
        ValueError: If the model does not fit the format.
    """
    named = None
    if inputs is not None:
        named = {
            name: tf.TensorSpec(shape, dtype, name)
            for name, (shape, dtype) in inputs.items()
        }
    if format == "tf_saved_model":
        _write_saved_model(model, path, named, positional)
    elif format == "onnx":
        _write_onnx(model, path, named, opset or onnx.OPSET)
    elif format == "openvino":
        _write_openvino(model, path, named)
    else:
        _write_litert(model, path, named)


def _write_saved_model(model, path, inputs, positional):
    module = ForwardModule(model)
    names = tuple(inputs or model.export_inputs)
    full = trace(module.forward, inputs or specs(names))

    def serve(*tensors):
        return full(**dict(zip(names, tensors, strict=True)))

    if positional:
        module.serve = tf.function(
            serve, input_signature=list(inputs.values()), autograph=False
        )
    elif inputs is not None:
        module.serve = tf.function(
            lambda given: full(**given),
            input_signature=[inputs],
            autograph=False,
        )
    else:
        module.serve = _with_defaults(model, full, names)
    with replaced_directory(path) as staging:
        write_saved_model(module, staging, {SIGNATURE: full})


def _with_defaults(model, full, names):
    """`full` of a dict with `input_ids` and, as in a call, any of the others.

    Without a mask every token is one, or none is global; without
    `decoder_input_ids` the decoder reads the document. All int32, or all
    int64, as numpy has it.
    """

    def serve(given):
        given = {name: tf.cast(x, "int32") for name, x in given.items()}
        ids = given["input_ids"]
        inputs = {
            "attention_mask": tf.ones_like(ids),
            "global_attention_mask": tf.zeros_like(ids),
        }
        if "decoder_input_ids" in names and "decoder_input_ids" not in given:
            base = model.get_base_model()
            inputs["decoder_input_ids"] = base.decoder_inputs_from(ids)
        return full(**{**inputs, **given})

    serve = tf.function(serve, autograph=False)
    optional = [name for name in names if name != "input_ids"]
    for dtype in ("int32", "int64"):
        for count in range(len(optional) + 1):
            for given in itertools.combinations(optional, count):
                inputs = specs(("input_ids", *given), dtype=dtype)
                serve.get_concrete_function(inputs)
    return serve


def _write_onnx(model, path, inputs, opset):
    onnx.load_converter()
    module = ForwardModule(model, max_global_tokens=math.inf)
    inputs = inputs or specs(model.export_inputs)
    with staged_file(_in_directory(path, "model.onnx")) as staging:
        onnx.write_onnx(module, module.forward, inputs, staging, opset)


def _write_openvino(model, path, inputs):
    load_openvino()
    path = _in_directory(path, "model.xml")
    module = ForwardModule(model, max_global_tokens=math.inf)
    inputs = inputs or specs(model.export_inputs)
    with staged_directory(path.parent) as staging:
        file = staging / path.name
        openvino.write_openvino(module, module.forward, inputs, file)


def _write_litert(model, path, inputs):
    if inputs is None:
        config, names = model.config, model.export_inputs
        alone = "decoder_input_ids" not in names
        inputs = specs(
            names,
            batch=1,
            length=longest_document(config, decoder_reads_it=alone),
            target_length=config.max_decoder_position_embeddings,
        )
    module = ForwardModule(model, one_shape=True)
    functions = {SIGNATURE: (module.forward, inputs)}
    with staged_file(_in_directory(path, "model.tflite")) as staging:
        litert.write_litert(module, functions, staging)


def _in_directory(path, name):
    return path / name if path.is_dir() else path

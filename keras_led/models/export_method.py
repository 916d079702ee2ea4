"""`model.export`, as every Keras model has it."""

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_led import backend
from keras_led.files.publishing import holds_something
from keras_led.typing import StrPath

FORMATS = ("tf_saved_model", "onnx", "openvino", "litert")
# The loss is no part of an export; caches and outputs are no single tensors.
_NOT_EXPORTED = (
    "encoder_outputs",
    "past_key_values",
    "labels",
    "start_positions",
    "end_positions",
    "use_cache",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "training",
)


class ExportMixin:
    """Writes the forward pass for other programs."""

    # Inputs of an export, and fields of the output that it answers with.
    export_inputs: tuple[str, ...] = (
        "input_ids",
        "attention_mask",
        "global_attention_mask",
    )
    answer_fields: tuple[str, ...] = ("logits",)

    def export(
        self,
        filepath: StrPath,
        format: str = "tf_saved_model",
        verbose: Any = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> Path:
        """Writes the forward pass as a model that runs without keras_led.

        `keras_led.serving.export` writes models that generate and take text.

        By default the inputs are `input_ids`, `attention_mask` and
        `global_attention_mask`, int32 `(B, S)`, and, but for the models that
        answer about the document, `decoder_input_ids`, int32 `(B, T)`; a
        former call changes nothing. The outputs are the logits (of
        `LEDModel` the last hidden states of decoder and encoder), float32.

        - `"tf_saved_model"`: a directory. The signature `serving_default`
          takes all inputs; `serve` of the loaded object takes a dict and may
          be called without any but `input_ids`. Ids that the model does not
          know are an `INVALID_ARGUMENT`.
        - `"onnx"`: a file, for any batch and any length.
        - `"openvino"`: a `.xml` file and a `.bin` file, likewise.
        - `"litert"`: a file for one shape: `input_signature`'s, or one
          document as long as the model reads. Pad and mask shorter ones. The
          answer for more than `max_global_tokens` global tokens is NaN.

        TensorFlow writes all of them, under JAX and PyTorch in a process of
        its own.

        Args:
            filepath: str or path of the directory or file. An older export
                is replaced once the new one is complete. Where a file is
                written and `filepath` is a directory, it becomes
                `model.onnx`, `model.xml` or `model.tflite` there.
            format: str, one of the four.
            verbose: bool, whether to print where the export is.
            input_signature: dict of names of call arguments to specs, or a
                list of specs in the order of the call: anything with `shape`
                and `dtype`. `None` for the inputs above. `serve` then takes a
                dict of just these, or the list's tensors.
            **kwargs: `opset_version`, int, for ONNX; 18 by default.

        Returns:
            `pathlib.Path` of what was written.

        Raises:
            FileExistsError: If the directory holds something that is no
                SavedModel.
            ImportError: If `format` needs a package that is not installed.
            TypeError: If an argument or an input is unknown.
            ValueError: If an argument does not fit.
            RuntimeError: If the process with TensorFlow fails.
        """
        path = _check_target(Path(filepath), format)
        request = {
            "format": format,
            "opset": _opset(format, **kwargs),
            **self._exported_inputs(input_signature, format),
        }
        if backend.name == "tensorflow":
            from keras_led.formats.model_export import write_model

            write_model(self, path, **request)  # pyright: ignore[reportArgumentType]
        else:
            from keras_led.formats.other_process import write_model_elsewhere

            write_model_elsewhere(self, path, request)  # pyright: ignore[reportArgumentType]
        if verbose:
            sys.stdout.write(f"Exported {self.name} to {path}.\n")
        return path

    def _exported_inputs(self, signature, format):
        """Names, shapes and dtypes of an `input_signature`."""
        if signature is None:
            return {"inputs": None, "positional": False}
        if not isinstance(signature, Mapping | list | tuple):
            signature = [signature]
        if not isinstance(signature, Mapping) and len(signature) == 1:
            (first,) = signature
            signature = first if isinstance(first, Mapping) else signature
        known = list(inspect.signature(self.call).parameters)
        named = dict(signature) if isinstance(signature, Mapping) else None
        if named is None:
            _check_count(signature, known)
            named = dict(zip(known, signature, strict=False))
        inputs = {
            name: _shape_and_dtype(name, spec, known, format)
            for name, spec in named.items()
        }
        if "input_ids" not in inputs and "inputs_embeds" not in inputs:
            raise ValueError(
                "`input_signature` must hold `input_ids` or `inputs_embeds`, "
                f"the document. Received: {', '.join(inputs) or 'nothing'}."
            )
        sizes = [size for shape, _ in inputs.values() for size in shape]
        if format == "litert" and None in sizes:
            raise ValueError(
                "`input_signature` must give every size for format='litert', "
                "which runs one shape. Received: "
                f"{ {name: shape for name, (shape, _) in inputs.items()} }."
            )
        return {
            "inputs": inputs,
            "positional": not isinstance(signature, Mapping),
        }


def _check_target(path, format):
    """Returns `path` if `format` can be written there."""
    if format not in FORMATS:
        raise ValueError(
            f"`format` must be one of {', '.join(FORMATS)}. "
            f"Received: format={format!r}."
        )
    if format == "openvino" and path.suffix != ".xml" and not path.is_dir():
        raise ValueError(
            "`filepath` must end with '.xml' for format='openvino', or be a "
            f"directory. Received: filepath={str(path)!r}."
        )
    if format != "tf_saved_model" or not path.exists():
        return path
    if not path.is_dir():
        raise NotADirectoryError(
            "`filepath` must be a directory for format='tf_saved_model'. "
            f"Received: filepath={str(path)!r}, a file."
        )
    if holds_something(path) and not (path / "saved_model.pb").exists():
        raise FileExistsError(
            "`filepath` must be a new or empty directory, or an older "
            f"SavedModel. Received: filepath={str(path)!r}, which holds "
            "something else."
        )
    return path


def _opset(format, opset_version=None, **unknown):
    """The version of ONNX's operations that is asked for, or `None`."""
    if unknown:
        raise TypeError(
            f"`export` has no argument `{next(iter(unknown))}`. Its arguments "
            "are filepath, format, verbose, input_signature, opset_version."
        )
    if opset_version is not None and format != "onnx":
        raise ValueError(
            "`opset_version` is for format='onnx'. Received: "
            f"opset_version={opset_version}, format={format!r}."
        )
    return opset_version


def _check_count(signature, known):
    if len(signature) > len(known):
        raise ValueError(
            f"`input_signature` must hold at most {len(known)} specs, in the "
            f"order of the call. Received: {len(signature)}."
        )


def _shape_and_dtype(name, spec, known, format):
    """Pair of a list of sizes, `None` for any, and a str."""
    if name not in known or name in _NOT_EXPORTED:
        allowed = [name for name in known if name not in _NOT_EXPORTED]
        raise TypeError(
            f"`input_signature` may hold {', '.join(allowed)}. "
            f"Received: {name!r}."
        )
    shape, dtype = getattr(spec, "shape", None), getattr(spec, "dtype", None)
    if shape is None or dtype is None:
        raise TypeError(
            "`input_signature` must hold specs with a shape and a dtype, such "
            "as keras.InputSpec(shape=(None, None), dtype='int32'). "
            f"Received: {name}={spec!r}."
        )
    dtype = keras.backend.standardize_dtype(getattr(dtype, "name", dtype))
    sizes = [None if size is None else int(size) for size in shape]
    example = not isinstance(spec, keras.InputSpec) and (
        keras.ops.is_tensor(spec) or isinstance(spec, np.ndarray)
    )
    if example and format != "litert":
        sizes[0] = None  # as Keras does: an example shows no batch size
    return sizes, dtype

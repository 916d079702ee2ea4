"""The requests that TensorFlow Serving makes to itself before any client.

They are a TFRecord file of `PredictionLog` messages. The messages are few and
their fields are fixed, so they are written here by their numbers, instead of
through the tensorflow-serving-api package, which pins a TensorFlow.

Source: tensorflow_serving/apis/{prediction_log,predict,model}.proto.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf

FILE = "tf_serving_warmup_requests"

_PREDICTION_LOG_PREDICT = 6
_PREDICT_LOG_REQUEST = 1
_REQUEST_MODEL, _REQUEST_INPUTS = 1, 2
_MODEL_SIGNATURE = 3
_ENTRY_KEY, _ENTRY_VALUE = 1, 2


def write_warmup(
    directory: Path, requests: Iterable[tuple[str, dict[str, Any]]]
) -> None:
    """Writes `assets.extra/tf_serving_warmup_requests`.

    Args:
        directory: path of the SavedModel.
        requests: list of pairs of a signature's name and a dict of its
            inputs, numpy arrays or lists, by name.
    """
    folder = directory / "assets.extra"
    folder.mkdir()
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        for signature, inputs in requests:
            writer.write(prediction_log(signature, inputs))


def prediction_log(signature: str, inputs: dict[str, Any]) -> bytes:
    """A serialized `PredictionLog` of one request.

    Args:
        signature: str.
        inputs: dict of name to array.

    Returns:
        bytes.
    """
    request = _field(
        _REQUEST_MODEL, _field(_MODEL_SIGNATURE, signature.encode())
    )
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        entry = _field(_ENTRY_KEY, name.encode())
        request += _field(_REQUEST_INPUTS, entry + _field(_ENTRY_VALUE, tensor))
    return _field(
        _PREDICTION_LOG_PREDICT, _field(_PREDICT_LOG_REQUEST, request)
    )


def _field(number, content):
    """A length-delimited field of the protocol buffers wire format."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])

"""Models for other programs, and what runs them without Keras.

A name is imported when it is first asked for: `OnnxLED` and `OpenVINOLED` load
neither Keras nor a backend.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_led.serving.exporting import export
    from keras_led.serving.onnx_led import OnnxLED
    from keras_led.serving.openvino_led import OpenVINOLED

__all__ = ["OnnxLED", "OpenVINOLED", "export"]

_HOMES = {
    "OnnxLED": "onnx_led",
    "OpenVINOLED": "openvino_led",
    "export": "exporting",
}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    globals()[name] = getattr(home, name)
    return globals()[name]

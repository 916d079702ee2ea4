"""Models for other programs, and what runs them without Keras.

A name is imported when it is first asked for: `OnnxLED` and `OpenVINOLED` load
neither Keras nor a backend.
"""

from typing import TYPE_CHECKING

from keras_led._lazy_names import lazy_names as _lazy_names

if TYPE_CHECKING:
    from keras_led.serving.exporting import export
    from keras_led.serving.onnx_led import OnnxLED
    from keras_led.serving.openvino_led import OpenVINOLED

__all__ = ["OnnxLED", "OpenVINOLED", "export"]

__getattr__ = _lazy_names(
    __name__,
    {
        "OnnxLED": "onnx_led",
        "OpenVINOLED": "openvino_led",
        "export": "exporting",
    },
)

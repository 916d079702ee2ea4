"""SavedModels that take token ids, or text, without keras_led at hand."""

from keras_led.serving.exporting import export

__all__ = ["export"]

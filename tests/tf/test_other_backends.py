"""Asking for a TFLED class where TensorFlow does not run."""

import importlib

import keras
import pytest

import keras_led

BACKEND = keras.backend.backend()
NAMES = (
    "TFLEDModel",
    "TFLEDForConditionalGeneration",
    "TFLEDEncoderBaseModelOutput",
    "TFLEDSeq2SeqModelOutput",
    "TFLEDSeq2SeqLMOutput",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_or_an_error_that_says_what_to_set(name):
    if BACKEND == "tensorflow":
        assert getattr(keras_led, name).__name__ == name
        return
    with pytest.raises(ImportError, match="KERAS_BACKEND=tensorflow"):
        getattr(keras_led, name)
    with pytest.raises(ImportError, match=f"Received: .*{BACKEND}"):
        importlib.import_module("keras_led.tf")


def test_other_unknown_names_stay_unknown():
    with pytest.raises(AttributeError, match="TFLEDForEverything"):
        keras_led.TFLEDForEverything  # noqa: B018
    assert not hasattr(keras_led, "TFLEDForEverything")

"""`parameters()` of PyTorch, for optimizers and wrappers of its own."""

import keras
import pytest

from keras_led import LEDForConditionalGeneration

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch lists parameters"
)


def missing(model):
    known = {id(parameter) for parameter in model.parameters()}
    return [v.path for v in model.variables if id(v.value) not in known]


def unknown(model):
    known = {id(v.value) for v in model.variables}
    return [n for n, p in model.named_parameters() if id(p) not in known]


def adapt(model):
    model.enable_lora(rank=2)


def lengthen(model):
    model.resize_token_embeddings(model.config.vocab_size + 3)


def quantize(model):
    model.quantize("int8")


@pytest.mark.parametrize("change", [adapt, lengthen, quantize])
def test_parameters_are_those_of_today(change):
    model = LEDForConditionalGeneration.from_pretrained("led-tiny")
    assert not missing(model)
    change(model)
    assert not missing(model)
    assert not unknown(model)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(model)
    )
    assert not missing(again)
    assert not unknown(again)

import keras
import numpy as np
import pytest

import keras_led
from keras_led.layers.encoder import LEDEncoder
from tests import peer
from tests.models.test_copies import SMALL
from tests.models.test_copies import draw
from tests.models.test_copies import saved

IDS = peer.token_ids(2, 7)
IDS[:, -1] = 2
INPUTS = {
    "input_ids": IDS,
    "attention_mask": np.ones((2, 7), "int32"),
    "global_attention_mask": peer.global_mask("first", 2, 7),
}


@keras.saving.register_keras_serializable(package="test_placeholders")
class Scorer(keras.Model):
    """A model of one's own: an LED, and a head that its first call builds."""

    def __init__(self, led, **kwargs):
        super().__init__(**kwargs)
        self.led = led
        self.head = keras.layers.Dense(3)

    def call(self, inputs):
        output = self.led(inputs)
        hidden = output.get("logits", output.get("last_hidden_state"))
        return self.head(hidden[:, 0] if len(hidden.shape) > 2 else hidden)

    def get_config(self):
        return {"led": keras.saving.serialize_keras_object(self.led)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["led"]))


def make(name, **changes):
    led = getattr(keras_led, name)(keras_led.LEDConfig(**{**SMALL, **changes}))
    draw(led)
    return led


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("LEDModel", None),
        ("LEDForConditionalGeneration", IDS[:, :4]),
        ("LEDForSequenceClassification", np.array([1, 0], "int32")),
        ("LEDForSequenceClassification", np.ones((2, 3), "float32")),
    ],
)
def test_a_model_around_an_led_predicts_the_same(name, labels, tmp_path):
    model = Scorer(make(name, num_labels=3))
    inputs = INPUTS if labels is None else {**INPUTS, "labels": labels}
    expected = model.predict(inputs, verbose=0)
    loaded = saved(model, tmp_path)
    assert loaded.head.built
    np.testing.assert_allclose(
        loaded.predict(inputs, verbose=0), expected, atol=1e-6
    )


def test_ids_that_are_floats_are_still_refused():
    led = make("LEDModel")
    with pytest.raises(TypeError, match="`input_ids`.*integers.*float32"):
        led(IDS.astype("float32"))


@pytest.mark.parametrize("part", ["model", "encoder"])
def test_a_float_input_of_a_functional_model_is_named(part):
    led = make("LEDModel")
    led = led if part == "model" else led.get_encoder()
    with pytest.raises(TypeError, match="`input_ids`.*float32.*dtype='int32'"):
        led(keras.Input((7,)))


def test_a_functional_model_over_a_classifier(tmp_path):
    led = make("LEDForSequenceClassification", num_labels=3)
    inputs = {
        name: keras.Input((7,), dtype="int32", name=name) for name in INPUTS
    }
    logits = led(inputs).logits
    assert tuple(logits.shape) == (None, 3)
    model = keras.Model(inputs, keras.layers.Softmax()(logits))
    expected = keras.ops.softmax(led(INPUTS).logits)
    for x in (model, saved(model, tmp_path)):
        np.testing.assert_allclose(
            x.predict(INPUTS, verbose=0), peer.to_numpy(expected), atol=1e-6
        )


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="a device of PyTorch"
)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["LEDModel", "LEDForConditionalGeneration"])
def test_shapes_are_found_without_arithmetic(name, training, monkeypatch):
    led = make(name)
    led.gradient_checkpointing_enable()
    devices = []
    call = LEDEncoder.call

    def watched(self, inputs_embeds, *args, **kwargs):
        devices.append(inputs_embeds.device.type)
        return call(self, inputs_embeds, *args, **kwargs)

    monkeypatch.setattr(LEDEncoder, "call", watched)
    ids = keras.Input((None,), dtype="int32")
    mask = keras.Input((None,), dtype="int32")
    output = led(
        ids,
        global_attention_mask=mask,
        decoder_input_ids=keras.Input((5,), dtype="int32"),
        training=training,
    )
    assert set(devices) == {"meta"}
    hidden = output.encoder_last_hidden_state
    assert tuple(hidden.shape) == (None, None, 24)
    assert hidden.dtype == "float32"

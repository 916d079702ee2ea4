"""LED inside the functional API of Keras, and trained in a model around it."""

import keras
import numpy as np
import pytest

import keras_led
from tests import peer
from tests.models.test_copies import SMALL
from tests.models.test_copies import draw
from tests.models.test_copies import saved
from tests.models.test_placeholders import Scorer

IDS = peer.token_ids(2, 7)
INPUTS = {
    "input_ids": IDS,
    "attention_mask": peer.padding_mask("right", 2, 7),
    "global_attention_mask": peer.global_mask("first", 2, 7),
    "decoder_input_ids": IDS[:, :5],
}
ANSWERS = {
    "LEDModel": ("last_hidden_state", 24),
    "LEDForConditionalGeneration": ("logits", 37),
}


def fresh(name):
    led = getattr(keras_led, name)(
        keras_led.LEDConfig(
            **{**SMALL, "dropout": 0.0, "attention_dropout": 0.0}
        )
    )
    draw(led)
    return led


def placeholders(fixed):
    return {
        name: keras.Input(
            (x.shape[1] if fixed else None,), dtype="int32", name=name
        )
        for name, x in INPUTS.items()
    }


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("name", ANSWERS)
def test_a_functional_model_gives_the_same(name, fixed, tmp_path):
    led = fresh(name)
    inputs = placeholders(fixed)
    field, width = ANSWERS[name]
    output = led(inputs)
    lengths = (5, 7) if fixed else (None, None)
    assert tuple(output[field].shape) == (None, lengths[0], width)
    encoded = output.encoder_last_hidden_state
    assert tuple(encoded.shape) == (None, lengths[1], 24)
    model = keras.Model(inputs, output[field])
    expected = peer.to_numpy(led(INPUTS)[field])
    for one in (model, saved(model, tmp_path)):
        np.testing.assert_allclose(
            one.predict(INPUTS, verbose=0), expected, atol=1e-5
        )


def test_placeholders_of_ids_alone_will_do():
    led = fresh("LEDForConditionalGeneration")
    output = led({"input_ids": keras.Input((None,), dtype="int32")})
    assert tuple(output.logits.shape) == (None, None, 37)


def functional(led):
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name)
        for name in ("input_ids", "global_attention_mask")
    }
    hidden = led.get_encoder()(inputs).last_hidden_state
    return keras.Model(inputs, keras.layers.Dense(3)(hidden[:, 0]))


@pytest.mark.parametrize("make", [functional, Scorer])
def test_a_model_around_an_led_trains_and_comes_back(make, tmp_path):
    led = fresh("LEDModel")
    model = make(led)
    inputs = {
        name: INPUTS[name] for name in ("input_ids", "global_attention_mask")
    }
    model.compile(
        optimizer=keras.optimizers.Adam(1e-2),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    weights = led.encoder.trainable_weights
    before = [peer.to_numpy(weight).copy() for weight in weights]
    history = model.fit(
        inputs, np.array([2, 0]), batch_size=2, epochs=3, verbose=0
    )
    losses = history.history["loss"]
    assert losses[-1] < losses[0]
    changed = [
        (peer.to_numpy(weight) != old).any()
        for weight, old in zip(weights, before, strict=True)
    ]
    assert sum(changed) > 15
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(
        saved(model, tmp_path).predict(inputs, verbose=0), expected, atol=1e-5
    )

import keras
import numpy as np
import pytest

import keras_led
from keras_led.models.freezing import freeze
from tests import peer
from tests.models.test_copies import SMALL
from tests.models.test_copies import draw
from tests.models.test_copies import saved

IDS = peer.token_ids(2, 7)
GLOBAL = peer.global_mask("first", 2, 7)


def fresh(**changes):
    model = keras_led.LEDModel(
        keras_led.LEDConfig(**{**SMALL, **changes}), max_global_tokens=5
    )
    draw(model)
    return model


def over_encoder(led):
    inputs = {
        name: keras.Input((7,), dtype="int32", name=name)
        for name in ("input_ids", "global_attention_mask")
    }
    hidden = led.get_encoder()(inputs).last_hidden_state
    again = led.get_encoder()(inputs["input_ids"]).last_hidden_state
    return keras.Model(inputs, keras.layers.Dense(2)(hidden - again))


def over_decoder(led):
    inputs = {
        "input_ids": keras.Input((7,), dtype="int32", name="input_ids"),
        "hidden": keras.Input((9, 24), name="hidden"),
    }
    decoded = led.get_decoder()(
        inputs["input_ids"],
        encoder_hidden_states=inputs["hidden"],
        use_cache=False,
    )
    return keras.Model(inputs, decoded.last_hidden_state)


DATA = {
    over_encoder: {"input_ids": IDS, "global_attention_mask": GLOBAL},
    over_decoder: {
        "input_ids": IDS,
        "hidden": np.linspace(-1, 1, 2 * 9 * 24, dtype="float32").reshape(
            2, 9, 24
        ),
    },
}


@pytest.mark.parametrize("make", DATA)
@pytest.mark.parametrize("tied", [True, False])
def test_a_model_over_a_part_is_saved_and_cloned(make, tied, tmp_path):
    led = fresh(tie_word_embeddings=tied)
    freeze(led, "embeddings")
    model = make(led)
    expected = model.predict(DATA[make], verbose=0)
    loaded = saved(model, tmp_path)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (loaded, clone):
        assert len(other.trainable_weights) == len(model.trainable_weights)
        np.testing.assert_array_equal(
            other.predict(DATA[make], verbose=0), expected
        )
    led.shared.embeddings.assign(led.shared.embeddings * 0)
    np.testing.assert_array_equal(
        loaded.predict(DATA[make], verbose=0), expected
    )


def test_settings_of_a_part_survive(tmp_path):
    led = keras_led.LEDModel(
        keras_led.LEDConfig(**SMALL),
        max_global_tokens=5,
        dtype="mixed_bfloat16",
    )
    led.gradient_checkpointing_enable()
    encoder, decoder = led.get_encoder(), led.get_decoder()
    for part, side in ((encoder, "encoder"), (decoder, "decoder")):
        part.save(tmp_path / "part.keras")
        other = keras.saving.load_model(tmp_path / "part.keras")
        assert type(other) is type(part)
        assert other.name == part.name
        assert other.dtype_policy.name == "mixed_bfloat16"
        assert other.config == led.config
        assert getattr(other, side).gradient_checkpointing
    assert encoder.max_global_tokens == 5


def test_one_part_for_all_calls_while_it_is_held():
    led = keras_led.LEDForConditionalGeneration(keras_led.LEDConfig(**SMALL))
    encoder, decoder = led.get_encoder(), led.get_decoder()
    assert led.get_encoder() is encoder
    assert led.get_decoder() is decoder


def test_the_encoder_takes_a_dict_as_the_model_does():
    led = fresh()
    encoder = led.get_encoder()
    batch = {"input_ids": IDS, "global_attention_mask": GLOBAL}
    expected = peer.to_numpy(led(batch).encoder_last_hidden_state)
    for output in (encoder(batch), encoder(input_ids=batch)):
        found = peer.to_numpy(output.last_hidden_state)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(TypeError, match="`LEDEncoderModel`.*`labels`"):
        encoder({**batch, "labels": IDS})


def test_the_decoder_takes_a_dict():
    led = fresh()
    output = led(IDS)
    batch = {
        "input_ids": IDS[:, :3],
        "encoder_hidden_states": output.encoder_last_hidden_state,
    }
    expected = led(IDS, decoder_input_ids=IDS[:, :3]).last_hidden_state
    np.testing.assert_allclose(
        peer.to_numpy(led.get_decoder()(batch).last_hidden_state),
        peer.to_numpy(expected),
        atol=1e-6,
    )

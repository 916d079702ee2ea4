"""Which weights train after `freeze` and `unfreeze`."""

import keras
import pytest

import keras_led
from keras_led.models.adapters import enable_lora
from keras_led.models.freezing import freeze
from keras_led.models.freezing import unfreeze
from tests import peer


def model_of(name="LEDForConditionalGeneration", **changes):
    config = keras_led.LEDConfig(**{**peer.TINY, **changes})
    return getattr(keras_led, name)(config, name="m")


def paths(model):
    return {weight.path for weight in model.trainable_weights}


def below(found, *prefixes):
    return {path for path in found if path.startswith(prefixes)}


@pytest.mark.parametrize(
    ("arguments", "prefixes"),
    [
        (
            {"parts": "embeddings"},
            [
                "m/led/shared/",
                "m/led/encoder/embed_positions/",
                "m/led/encoder/layernorm_embedding/",
                "m/led/decoder/embed_positions/",
                "m/led/decoder/layernorm_embedding/",
            ],
        ),
        ({"parts": ("encoder",)}, ["m/led/encoder/layers_"]),
        ({"parts": ["decoder"]}, ["m/led/decoder/layers_"]),
        ({"encoder_layers": 1}, ["m/led/encoder/layers_0/"]),
        (
            {"parts": ("encoder",), "decoder_layers": 1},
            ["m/led/encoder/layers_", "m/led/decoder/layers_0/"],
        ),
    ],
)
def test_a_part_is_frozen_and_nothing_else(arguments, prefixes):
    model = model_of()
    everything = paths(model)
    frozen = below(everything, *prefixes)
    assert all(below(frozen, prefix) for prefix in prefixes)
    freeze(model, **arguments)
    assert paths(model) == everything - frozen
    unfreeze(model, **arguments)
    assert paths(model) == everything


def test_freezing_adds_up_and_is_undone_in_part():
    model = model_of()
    everything = paths(model)
    freeze(model, "embeddings")
    freeze(model, ("encoder", "decoder"))
    assert paths(model) == set()
    unfreeze(model, encoder_layers=1)
    assert paths(model) == below(everything, "m/led/encoder/layers_0/")
    unfreeze(model)
    assert paths(model) == everything


def test_keras_own_flag_is_no_obstacle():
    model = model_of()
    everything = paths(model)
    model.led.encoder.trainable = False
    unfreeze(model, encoder_layers=1)
    assert paths(model) == everything - below(
        everything,
        "m/led/encoder/layers_1/",
        "m/led/encoder/embed",
        "m/led/encoder/layernorm",
    )


def test_heads_and_tables_of_their_own():
    model = model_of(tie_word_embeddings=False)
    everything = paths(model)
    assert "m/led/shared/embeddings" not in everything  # nothing reads it
    freeze(model, "head")
    assert everything - paths(model) == {"m/lm_head/kernel"}
    freeze(model, "embeddings")
    assert not [path for path in paths(model) if "embed" in path]
    unfreeze(model)
    assert paths(model) == everything
    classifier = model_of("LEDForSequenceClassification")
    everything = paths(classifier)
    freeze(classifier, "head")
    assert everything - paths(classifier) == below(
        everything, "m/classification_head/"
    )


def test_what_lies_under_adapters_stays_frozen():
    model = model_of()
    enable_lora(model, 2)
    adapters = paths(model)
    freeze(model, "encoder")
    assert paths(model) == below(adapters, "m/led/decoder/")
    unfreeze(model, ("encoder", "decoder"))
    assert paths(model) > adapters
    assert "m/led/encoder/layers_0/fc1/kernel" in paths(model)
    for path in adapters:
        owner = path.rpartition("/")[0]
        assert below(paths(model), owner + "/") == below(adapters, owner + "/")


def test_errors_say_what_to_pass():
    model = model_of()
    with pytest.raises(ValueError, match=r"`parts` .*head.*\('encodr',\).*fir"):
        freeze(model, "encodr")
    with pytest.raises(ValueError, match="from 0 to 2, .*decoder_layers=3"):
        freeze(model, decoder_layers=3)
    with pytest.raises(ValueError, match=r"parts=\(\). Try"):
        freeze(model)
    with pytest.raises(ValueError, match=r"\('head',\) for a LEDForCond"):
        freeze(model, "head")
    with pytest.raises(TypeError, match="`model` .* Received: a Dense"):
        freeze(keras.layers.Dense(2), "encoder")


@pytest.mark.parametrize(
    "change",
    [
        lambda model: freeze(model, "encoder"),
        lambda model: unfreeze(model),
        lambda model: enable_lora(model, 2),
        lambda model: model.gradient_checkpointing_enable(),
        lambda model: model.resize_token_embeddings(50),
    ],
)
def test_what_trains_is_not_changed_from_a_callback(change):
    model = model_of()
    freeze(model, "embeddings")
    before = paths(model)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: change(model)
    )
    ids = peer.token_ids(2, 9)
    with pytest.raises(RuntimeError, match="between two calls.*`compile`"):
        model.fit(ids, ids, verbose=0, callbacks=[callback])
    assert paths(model) == before
    change(model)  # Now it can be.

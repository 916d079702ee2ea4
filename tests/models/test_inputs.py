"""Call arguments are named once, in every form they are given in."""

import keras
import numpy as np
import pytest

import keras_led
from keras_led.models.inputs import name_inputs
from tests import peer

NAMES = ("input_ids", "attention_mask", "labels")


def named(*args, **kwargs):
    return name_inputs(args, kwargs, NAMES, "Model")


def test_every_form_gives_one_dict():
    expected = {"input_ids": 1, "attention_mask": 2}
    assert named(1, 2) == expected
    assert named(1, attention_mask=2) == expected
    assert named({"input_ids": 1, "attention_mask": 2}) == expected
    assert named({"input_ids": 1}, 2) == expected
    assert named(input_ids={"input_ids": 1, "attention_mask": 2}) == expected


def test_a_keyword_wins_over_the_dict():
    assert named({"input_ids": 1, "labels": 2}, labels=3)["labels"] == 3


def test_an_argument_is_given_once():
    with pytest.raises(TypeError, match="takes `attention_mask` once"):
        named(1, 2, attention_mask=3)


def test_there_are_not_more_arguments_than_names():
    with pytest.raises(TypeError, match="at most 3 arguments.*Received: 4"):
        named(1, 2, 3, 4)


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(TypeError, match="`Model` has no.*mean 'labels'"):
        named(1, label=3)


def test_a_subclass_may_change_the_outputs():
    class Doubled(keras_led.LEDForConditionalGeneration):
        def compute_outputs(self, **inputs):
            output = super().compute_outputs(**inputs)
            output.logits = 2 * output.logits
            return output

    config = keras_led.LEDConfig(**peer.TINY)
    model, twice = (
        keras_led.LEDForConditionalGeneration(config),
        Doubled(config),
    )
    twice.set_weights(model.get_weights())
    ids = peer.token_ids(1, 8)
    once, double = (
        keras.ops.convert_to_numpy(each(ids).logits) for each in (model, twice)
    )
    np.testing.assert_allclose(double, 2 * once, rtol=1e-5)

"""Slots for global tokens, counted before a step, against the step's own."""

import numpy as np
import pytest
from keras import ops

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.attention.global_tokens import plan_slots
from keras_led.attention.masks import token_roles

LENGTH = 12


@pytest.fixture(scope="module")
def model():
    config = LEDConfig(
        vocab_size=20,
        d_model=4,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=4,
        decoder_ffn_dim=4,
        attention_window=4,
        max_encoder_position_embeddings=16,
        max_decoder_position_embeddings=8,
    )
    return LEDForConditionalGeneration(config)


def masks(kind, number):
    """The two masks of the call, with so many global tokens in one row."""
    wide = np.zeros((2, LENGTH), "int32")
    wide[1, :number] = 1
    attended = np.ones((2, LENGTH), "int32")
    attended[1, 8:] = 0
    return {
        "both": (attended, wide),
        "bools": (attended > 0, wide > 0),
        "global alone": (None, wide),
        "attention alone": (attended + attended * wide, None),
        "none": (None, None),
    }[kind]


@pytest.mark.parametrize("number", [0, 1, 3, 11])
@pytest.mark.parametrize(
    "kind", ["both", "bools", "global alone", "attention alone", "none"]
)
def test_slots_are_those_of_the_step(model, kind, number):
    attention_mask, global_attention_mask = masks(kind, number)
    roles = token_roles(
        None
        if attention_mask is None
        else ops.convert_to_tensor(attention_mask),
        None
        if global_attention_mask is None
        else ops.convert_to_tensor(global_attention_mask),
        (2, LENGTH),
    )
    expected = plan_slots(roles.global_mask, 1).num_slots
    inputs = {
        "input_ids": np.full((2, LENGTH), 5),
        "attention_mask": attention_mask,
        "global_attention_mask": global_attention_mask,
    }
    labels = np.full((2, 3), 6)
    assert model._slots_of_batch((inputs, labels)) == expected
    assert model._slots_of_batch({**inputs, "labels": labels}) == expected


def test_slots_are_given_for_one_step(model):
    base = model.get_base_model()
    with model._slots_given(4):
        assert base._slots_of_step == 4
    assert base._slots_of_step is None

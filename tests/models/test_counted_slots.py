"""Slots for global tokens, counted before a step, against the step's own."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.attention.global_tokens import plan_slots
from keras_led.attention.masks import token_roles
from keras_led.data import Seq2SeqDataset
from keras_led.models.data_check import DataCheck
from tests.data.tokenizers import byte_tokenizer

LENGTH = 12


IDS = np.random.default_rng(3).integers(4, 20, (2, LENGTH))
LABELS = np.random.default_rng(4).integers(4, 20, (2, 5))


def wide(number):
    mask = np.zeros((2, LENGTH), "int32")
    mask[1, LENGTH - number :] = 1
    return mask


def data(number):
    return {
        "input_ids": IDS,
        "global_attention_mask": wide(number),
        "labels": LABELS,
    }


def small_model(**options):
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
        init_std=0.5,
        dropout=0.0,
    )
    return LEDForConditionalGeneration(config, **options)


@pytest.fixture(scope="module")
def model():
    return small_model()


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
    assert model._count_slots((inputs, labels)) == expected
    assert model._count_slots({**inputs, "labels": labels}) == expected


def test_slots_are_given_for_one_step(model):
    base = model.get_base_model()
    with model._slots_given(4):
        assert base._slots_of_step == 4
    assert base._slots_of_step is None


def test_slots_are_unknown_where_data_come_later(model):
    assert DataCheck(lambda data: None, model._count_slots).slots == 0
    check = DataCheck(lambda data: None, model._count_slots)
    check.source({"input_ids": IDS, "global_attention_mask": wide(3)})
    assert check.slots == 4
    check.source({"input_ids": IDS, "global_attention_mask": wide(1)})
    assert check.slots == 4
    check.source(x for x in ())
    assert check.slots is None
    check.source({"input_ids": IDS})
    assert check.slots is None


def test_runs_with_other_numbers_of_global_tokens_stay_exact():
    """Each run after one with fewer, or of data that nobody has counted."""
    model, reference = (
        small_model(max_global_tokens=slots) for slots in (2, LENGTH)
    )
    reference.set_weights(model.get_weights())
    for one in (model, reference):
        one.compile(keras.optimizers.SGD(0.0))
    few, many = (reference.test_on_batch(data(number)) for number in (1, 9))
    assert few != pytest.approx(many, rel=1e-3)
    assert model.evaluate(data(1), verbose=0) == pytest.approx(few, rel=1e-5)
    # What was made for few serves neither a batch nor a stream.
    assert model.test_on_batch(data(9)) == pytest.approx(many, rel=1e-5)
    assert model.evaluate(data(1), verbose=0) == pytest.approx(few, rel=1e-5)
    stream = ((data(9),) for _ in range(9))
    loss = model.evaluate(stream, steps=1, verbose=0)
    assert loss == pytest.approx(many, rel=1e-5)
    history = model.fit(
        data(1), validation_data=(data(9),), verbose=0, shuffle=False
    ).history
    assert history["loss"][0] == pytest.approx(few, rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(many, rel=1e-5)


def test_a_dataset_says_how_many_global_tokens_it_has():
    tokenizer = byte_tokenizer()
    rows = [{"document": "a b c", "question": "d e", "summary": "f"}] * 3
    options = {"max_source_tokens": 16, "max_target_tokens": 4}
    plain = Seq2SeqDataset(rows, tokenizer, batch_size=2, **options)
    assert plain.most_global_tokens == 1
    asked = Seq2SeqDataset(
        rows, tokenizer, batch_size=2, question="question", **options
    )
    most = max(
        int(inputs["global_attention_mask"].sum(axis=1).max())
        for inputs, _ in (asked[index] for index in range(len(asked)))
    )
    assert asked.most_global_tokens == most > 1

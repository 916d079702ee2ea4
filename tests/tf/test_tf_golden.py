"""Values, shapes, field names and tuples of TensorFlow's own LED."""

import numpy as np
import pytest

import keras_led
from tests import peer
from tests.golden.files import read_golden
from tests.tf.models import GOLDEN
from tests.tf.models import golden

GENERATOR = "TFLEDForConditionalGeneration"


def check(model, case, length):
    inputs, outputs = case["inputs"], dict(case["outputs"])
    tuple_length = outputs.pop("tuple_length")
    wide = "encoder_global_attentions"
    if wide in outputs:  # ours has no window padding in it
        mask = inputs.get("global_attention_mask")
        counts = [0]
        if mask is not None:
            counts = peer.count_globals(inputs["attention_mask"], mask)
        outputs[wide] = peer.cut_global_attentions(
            outputs[wide], counts, length
        )
    found = model(**inputs)
    held = {name: found[name] for name in found}
    if "past_key_values" not in outputs:
        held.pop("past_key_values", None)  # not all files have it
    peer.compare(held, outputs)
    as_tuple = model(**inputs, return_dict=False)
    assert isinstance(as_tuple, tuple)
    assert len(as_tuple) == tuple_length
    without = [found[name] for name in found if name != wide]
    for left, right in zip(as_tuple, without, strict=True):
        left = peer.flatten("", peer.to_numpy(left))
        right = peer.flatten("", peer.to_numpy(right))
        for (_, one), (_, two) in zip(left, right, strict=True):
            np.testing.assert_array_equal(one, two)
    return found


@pytest.mark.parametrize(
    "name", ["no_masks", "masks", "hidden_states", "loss", "loss_with_pads"]
)
def test_outputs_equal_tensorflows(name):
    model, cases = golden(GENERATOR, "tensorflow")
    found = check(model, cases[name], 11)
    assert type(found) is keras_led.TFLEDSeq2SeqLMOutput
    if "loss" in found:
        assert found.loss.shape == (1,)


@pytest.mark.parametrize("wide", ["absent", "first", "mixed"])
def test_the_bare_model_equals_tensorflows(wide):
    model, cases = golden("TFLEDModel", "tensorflow_window_two")
    found = check(model, cases[wide], 9)
    assert type(found) is keras_led.TFLEDSeq2SeqModelOutput


def test_a_cached_step_equals_tensorflows():
    model, cases = golden(GENERATOR, "tensorflow")
    inputs = dict(cases["cached_step"]["inputs"])
    outputs = cases["cached_step"]["outputs"]
    step = inputs.pop("next_decoder_input_ids")
    past = model(**inputs, use_cache=True).past_key_values
    assert isinstance(past, tuple)
    assert [len(layer) for layer in past] == [4]
    inputs["decoder_input_ids"] = step
    after = model(**inputs, past_key_values=past)
    np.testing.assert_allclose(after.logits, outputs["logits"], atol=1e-4)


def test_a_label_of_minus_100_counts_as_little_as_a_pad():
    model, cases = golden(GENERATOR, "tensorflow")
    case = cases["loss_with_pads"]
    inputs = dict(case["inputs"])
    inputs["labels"] = np.where(inputs["labels"] == 1, -100, inputs["labels"])
    loss = model(**inputs).loss
    np.testing.assert_allclose(loss, case["outputs"]["loss"], atol=1e-5)
    inputs["labels"] = np.full_like(inputs["labels"], -100)
    np.testing.assert_array_equal(model(**inputs).loss, [0.0])


@pytest.mark.parametrize("kind", ["h5", "sharded", "safetensors"])
def test_checkpoints_of_tensorflow_load(kind):
    home = GOLDEN / "tensorflow_checkpoints"
    _, _, cases = read_golden(home / "expected.npz")
    model = keras_led.TFLEDForConditionalGeneration.from_pretrained(home / kind)
    logits = model(cases["forward"]["inputs"]).logits
    expected = cases["forward"]["outputs"]["logits"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    if kind == "h5":
        bare = keras_led.TFLEDModel.from_pretrained(home / "bare")
        hidden = bare(cases["forward"]["inputs"]).last_hidden_state
        np.testing.assert_allclose(model.logits(hidden), expected, atol=1e-4)

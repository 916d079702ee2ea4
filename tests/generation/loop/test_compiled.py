"""What is compiled anew, and what is not."""

import keras
import numpy as np
import pytest

from keras_led import backend
from keras_led.generation.inputs.document_batch import bucket_length
from keras_led.generation.loop import compiled
from tests import peer
from tests.generation.pairs import documents
from tests.generation.pairs import models
from tests.generation.search.test_search import random_model


@pytest.mark.parametrize(
    ("length", "limit", "expected"),
    [
        (1, 64, 16),
        (16, 64, 16),
        (17, 64, 32),
        (60, 62, 62),
        (62, 62, 62),
        (300, 16384, 320),
        (1025, 16384, 1152),
        (9841, 16384, 10240),
        (16384, 16384, 16384),
        (20000, 16384, 20000),  # hidden states longer than the table
    ],
)
def test_bucket(length, limit, expected):
    assert bucket_length(length, limit) == expected


def test_buckets_waste_at_most_an_eighth():
    sizes = {bucket_length(length, 16384) for length in range(128, 16385)}
    assert all(
        bucket_length(length, 16384) <= length * 1.125 + 1
        for length in range(128, 16385)
    )
    assert len(sizes) == 8 * 7 + 1


class Counting:
    """Counts how often Python code of a model runs."""

    def __init__(self, model):
        self.calls = 0
        self.model = model
        decode_step = model.decode_step

        def counted(*args, **kwargs):
            self.calls += 1
            return decode_step(*args, **kwargs)

        model.decode_step = counted

    def new(self, ids, **options):
        """Calls of one `generate`."""
        before = self.calls
        self.model.generate(
            ids, global_attention_mask=np.zeros_like(ids), **options
        )
        return self.calls - before


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="PyTorch runs eagerly"
)
def test_same_bucket_same_options_no_new_compilation():
    count = Counting(random_model(0))
    ids = np.full((2, 16), 4)
    options = {"max_length": 9, "num_beams": 2}
    assert count.new(ids, **options) > 0
    assert count.new(ids, **options) == 0
    assert count.new(ids[:, :5], **options) == 0  # the same bucket
    assert count.new(np.full((2, 17), 4), **options) > 0
    assert count.new(ids, **{**options, "length_penalty": 2.0}) > 0
    assert count.new(ids[:1], **options) > 0
    assert count.new(ids, **options) == 0


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="PyTorch runs eagerly"
)
def test_seeds_and_fresh_hooks_need_no_new_compilation():
    count = Counting(random_model(0))
    ids = np.full((2, 5), 4)
    options = {"max_length": 9, "do_sample": True}
    assert count.new(ids, seed=1, **options) > 0
    assert count.new(ids, seed=2, **options) == 0
    hooked = {"logits_processor": [lambda ids, scores: scores]}
    assert count.new(ids, **hooked, **options) > 0
    hooked = {"logits_processor": [lambda ids, scores: scores]}
    assert count.new(ids, **hooked, **options) == 0


def test_prompts_of_another_length_are_not_confused():
    model = random_model(0)
    ids = np.full((1, 5), 4)
    options = {"max_length": 9, "global_attention_mask": np.zeros_like(ids)}
    for prompt in ([[2, 5]], [[2, 5, 6, 7]], [[2, 5, 6]]):
        output = model.generate(ids, decoder_input_ids=prompt, **options)
        again = random_model(0).generate(
            ids, decoder_input_ids=prompt, **options
        )
        np.testing.assert_array_equal(
            peer.to_numpy(output), peer.to_numpy(again)
        )


def test_padding_to_the_bucket_changes_nothing():
    """Beside the peer, which pads nothing but to its window."""
    _, ours = models()
    inputs = documents(batch=2, length=7)
    padded = {
        name: np.pad(
            value,
            ((0, 0), (0, 20)),
            constant_values=1 if name == "input_ids" else 0,
        )
        for name, value in inputs.items()
    }
    short = ours.generate(**inputs, num_beams=2, max_length=10)
    long = ours.generate(**padded, num_beams=2, max_length=10)
    np.testing.assert_array_equal(peer.to_numpy(short), peer.to_numpy(long))


def test_new_weights_are_seen():
    _, ours = models(seed=2, eos_bias=4.0, scale=1.0)
    inputs = documents(batch=2)
    before = peer.to_numpy(ours.generate(**inputs, max_length=6))
    bias = keras.ops.convert_to_numpy(ours.final_logits_bias)
    changed = bias.copy()
    changed[0, 11] = 1e4
    ours.final_logits_bias.assign(changed)
    forced = peer.to_numpy(ours.generate(**inputs, max_length=6))
    ours.final_logits_bias.assign(bias)
    assert np.all(forced[:, 1:] == 11)
    after = peer.to_numpy(ours.generate(**inputs, max_length=6))
    np.testing.assert_array_equal(before, after)


def test_old_functions_make_room(monkeypatch):
    monkeypatch.setattr(compiled, "CAPACITY", 2)
    model = random_model(0)
    for key in (1, 2, 1, 3):
        compiled.compiled(model, key, lambda: lambda x: x)
    made = []
    for key in (1, 3, 2):
        compiled.compiled(model, key, lambda key=key: made.append(key))
    assert made == [2]
    compiled.forget(model)
    compiled.compiled(model, 3, lambda: made.append(3))
    assert made == [2, 3]


@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="only JAX's `fit` takes weights"
)
def test_a_call_while_fit_has_the_weights_says_so():
    model = keras.Sequential([keras.layers.Dense(3)])
    model.build((None, 2))
    double = backend.jit(lambda x: 2 * model(x), model)
    x = np.ones((1, 2), "float32")
    before = double(x)
    kept = [variable.value for variable in model.variables]
    for variable in model.variables:
        variable._value = None  # as Keras' trainer does
    with pytest.raises(RuntimeError, match="step of `fit`.*on_epoch_end"):
        double(x)
    for variable, value in zip(model.variables, kept, strict=True):
        variable._value = value
    np.testing.assert_array_equal(double(x), before)

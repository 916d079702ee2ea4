"""The same processors and searches over numpy and over the backend."""

import numpy as np
import pytest
from keras import ops

from keras_led import GenerationConfig
from keras_led import backend
from keras_led.generation import numpy_ops
from keras_led.generation.inputs.strategy import make_plan
from keras_led.generation.processors.chain import build_chain
from keras_led.generation.processors.scores import Documents
from keras_led.generation.search.choose_search import make_search
from keras_led.generation.tensor_ops import on_numpy

VOCAB, ROWS, LENGTH = 17, 6, 9

OPTIONS = {
    "content": {
        "repetition_penalty": 1.3,
        "encoder_repetition_penalty": 0.8,
        "no_repeat_ngram_size": 2,
        "encoder_no_repeat_ngram_size": 3,
        "bad_words_ids": [[5], [6, 7]],
        "sequence_bias": [[[8], 2.0], [[3, 4], -np.inf]],
        "suppress_tokens": [9],
        "begin_suppress_tokens": [10],
    },
    "length": {
        "min_length": 5,
        "min_new_tokens": 3,
        "forced_bos_token_id": 3,
        "forced_eos_token_id": 2,
        "exponential_decay_length_penalty": [2, 1.2],
        "remove_invalid_values": True,
        "renormalize_logits": True,
    },
    "sampling": {
        "do_sample": True,
        "temperature": 0.7,
        "top_k": 9,
        "top_p": 0.9,
        "min_p": 0.02,
        "typical_p": 0.9,
        "epsilon_cutoff": 1e-3,
        "eta_cutoff": 1e-3,
    },
}


def plan_of(options):
    config = GenerationConfig(
        eos_token_id=2, pad_token_id=1, max_length=LENGTH, **options
    )
    return make_plan(config.resolve(), 1, 40, VOCAB)


def numbers():
    rng = np.random.default_rng(3)
    return {
        "scores": rng.normal(size=(ROWS, VOCAB)).astype("float32"),
        "tokens": rng.integers(2, 8, (ROWS, LENGTH)).astype("int32"),
        "ids": rng.integers(2, 8, (3, 11)).astype("int32"),
    }


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("length", [1, 4, LENGTH - 1])
def test_processors_give_the_same_scores(name, length):
    chain = build_chain(plan_of(OPTIONS[name]))
    assert len(chain.stages) >= 6
    given = numbers()

    def run(convert):
        scores, tokens, ids = (convert(x) for x in given.values())
        documents = Documents(2, VOCAB, ids, convert(np.int32(10)))
        prepared = chain.prepare(documents)
        return chain.process(
            scores, tokens, convert(np.int32(length)), prepared
        )

    expected = ops.convert_to_numpy(run(ops.convert_to_tensor))
    with on_numpy():
        found = run(np.asarray)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("early_stopping", [True, False, "never"])
def test_beams_end_in_the_same_states(early_stopping):
    options = {"num_beams": 2, "length_penalty": 1.7}
    plan = plan_of({**options, "early_stopping": early_stopping})
    search = make_search(plan)
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(4, ROWS, VOCAB)).astype("float32")
    stops = rng.random((4, 3 * search.num_candidates)) < 0.3

    def run(convert):
        state = search.begin(convert(np.full((ROWS, 1), 2, "int32")))
        for scores, ends in zip(steps, stops, strict=True):
            proposal = search.propose(state, convert(scores), None)
            state, _ = search.commit(state, proposal, convert(ends))
        return state

    expected = [ops.convert_to_numpy(x) for x in run(ops.convert_to_tensor)]
    with on_numpy():
        found = run(np.asarray)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5)
    assert found.scores.dtype == np.float32


def test_best_entries_of_ties_and_infinities():
    x = np.array([[1, 3, 3, -np.inf, 3, 0], [-np.inf] * 6], "float32")
    values, places = numpy_ops.top_k(x, 4)
    expected_values, expected = ops.top_k(ops.convert_to_tensor(x), 4)
    np.testing.assert_array_equal(values, ops.convert_to_numpy(expected_values))
    np.testing.assert_array_equal(places, [[1, 2, 4, 0], [0, 1, 2, 3]])
    if backend.name == "tensorflow":
        np.testing.assert_array_equal(places, ops.convert_to_numpy(expected))
    _, places = numpy_ops.top_k(np.array([[np.nan, 1, 2]], "float32"), 2)
    assert places.shape == (1, 2)


def test_draws_follow_the_seed():
    seed = np.array([3, 4], "uint32")
    first = numpy_ops.uniform(numpy_ops.fold_in(seed, 1), (40, 50))
    again = numpy_ops.uniform(numpy_ops.fold_in(seed, 1), (40, 50))
    other = numpy_ops.uniform(numpy_ops.fold_in(seed, 2), (40, 50))
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.1


def test_outside_the_block_the_operations_are_the_backends():
    from keras_led.generation.tensor_ops import ops as chosen

    with on_numpy():
        assert isinstance(chosen.arange(3), np.ndarray)
    assert not isinstance(chosen.arange(3), np.ndarray)

import keras
import keras_hub
import numpy as np
import pytest

from keras_led import LEDForConditionalGeneration
from keras_led.hub import LEDSampler
from tests.hub.conftest import DOCUMENTS

SAMPLERS = keras_hub.samplers
MAPPED = {
    "greedy": (lambda: "greedy", {}),
    "beam": (lambda: SAMPLERS.BeamSampler(num_beams=3), {"num_beams": 3}),
    "contrastive": (
        lambda: SAMPLERS.ContrastiveSampler(k=3, alpha=0.4),
        {"penalty_alpha": 0.4, "top_k": 3},
    ),
    "random": (
        lambda: SAMPLERS.RandomSampler(seed=5, temperature=0.7),
        {"do_sample": True, "temperature": 0.7, "top_k": 0},
    ),
    "top_k": (
        lambda: SAMPLERS.TopKSampler(k=4, seed=5),
        {"do_sample": True, "top_k": 4},
    ),
    "top_p": (
        lambda: SAMPLERS.TopPSampler(p=0.6, k=7, seed=5),
        {"do_sample": True, "top_p": 0.6, "top_k": 7},
    ),
    "all of ours": (
        lambda: LEDSampler(
            num_beams=2, length_penalty=2.0, no_repeat_ngram_size=3
        ),
        {"num_beams": 2, "length_penalty": 2.0, "no_repeat_ngram_size": 3},
    ),
}


class CustomGreedy(SAMPLERS.GreedySampler):
    """A class that the mapping does not know."""


class CustomBeam(SAMPLERS.BeamSampler):
    """Likewise: it repeats and reorders the cache."""


def batch(lm, width=9):
    return lm.preprocessor.generate_preprocess(
        DOCUMENTS[:3], decoder_sequence_length=width
    )


def tokens(lm, sampler, **arguments):
    """The tokens of a task, as its compiled loop gives them."""
    lm.compile(sampler=sampler)
    preprocessor, lm.preprocessor = lm.preprocessor, None
    try:
        inputs = batch_of[lm]
        return lm.generate(inputs, **arguments)["decoder_token_ids"]
    finally:
        lm.preprocessor = preprocessor


batch_of = {}


@pytest.fixture
def task(lm):
    batch_of[lm] = batch(lm)
    yield lm
    lm.compile()


@pytest.mark.parametrize("name", MAPPED)
def test_a_sampler_writes_the_tokens_of_generate(name, task, model):
    make, options = MAPPED[name]
    found = tokens(task, make(), max_length=9)
    inputs = batch_of[task]
    global_mask = np.zeros_like(inputs["encoder_token_ids"])
    global_mask[:, 0] = 1
    expected = model.generate(
        input_ids=inputs["encoder_token_ids"],
        attention_mask=inputs["encoder_padding_mask"],
        global_attention_mask=global_mask,
        max_length=9,
        seed=5,
        **options,
    )
    expected = keras.ops.convert_to_numpy(expected)
    assert len(np.unique(expected)) > 3
    np.testing.assert_array_equal(found, expected)


def test_a_seeded_sampler_differs_from_call_to_call(task):
    sampler = SAMPLERS.RandomSampler(seed=5)
    first = tokens(task, sampler, max_length=9)
    np.testing.assert_array_equal(tokens(task, sampler, max_length=9), first)
    inputs = batch_of[task]
    preprocessor, task.preprocessor = task.preprocessor, None
    second = task.generate(inputs, max_length=9)["decoder_token_ids"]
    task.preprocessor = preprocessor
    assert first.shape != second.shape or (first != second).any()


def test_a_custom_sampler_runs_in_the_loop_of_keras_hub(task):
    found = tokens(task, CustomGreedy())
    plain = LEDSampler(no_repeat_ngram_size=0)
    expected = tokens(task, plain, max_length=9)
    np.testing.assert_array_equal(up_to_the_end(found), up_to_the_end(expected))


def test_a_custom_sampler_cannot_write_beyond_the_table(lm):
    lm.compile(sampler=CustomGreedy())
    limit = lm.backbone.max_decoder_sequence_length
    try:
        with pytest.raises(ValueError, match=f"`max_length`.* most {limit}"):
            lm.generate(DOCUMENTS[0], max_length=limit + 1)
    finally:
        lm.compile()


def test_a_custom_sampler_may_reorder_the_cache(task, model):
    """As beams do: the best must be at least as likely as the greedy one."""
    found = tokens(task, CustomBeam(num_beams=4), stop_token_ids=None)
    greedy = tokens(task, CustomGreedy(), stop_token_ids=None)
    inputs = batch_of[task]
    likely = [
        log_likelihood(model, inputs, np.asarray(x)) for x in (found, greedy)
    ]
    assert (likely[0] >= likely[1] - 1e-4).all()
    assert (np.asarray(found) != np.asarray(greedy)).any()


def up_to_the_end(rows):
    rows = np.asarray(rows)
    return [
        row[: 2 + np.flatnonzero(row[1:] == 2)[0]].tolist()
        if (row[1:] == 2).any()
        else row.tolist()
        for row in rows
    ]


def log_likelihood(model: LEDForConditionalGeneration, inputs, rows):
    global_mask = np.zeros_like(inputs["encoder_token_ids"])
    global_mask[:, 0] = 1
    logits = model(
        input_ids=inputs["encoder_token_ids"],
        attention_mask=inputs["encoder_padding_mask"],
        global_attention_mask=global_mask,
        decoder_input_ids=rows[:, :-1].astype("int32"),
    ).logits
    scores = keras.ops.convert_to_numpy(keras.ops.log_softmax(logits))
    chosen = np.take_along_axis(scores, rows[:, 1:, None], axis=2)
    return chosen[..., 0].sum(axis=1)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: "gredy", ValueError, "sampler='gredy'.*Did you mean"),
        (lambda: 3, TypeError, "`sampler`.*sampler=3"),
        (lambda: SAMPLERS.GreedySampler, TypeError, "an instance of"),
        (
            lambda: SAMPLERS.BeamSampler(return_all_beams=True),
            ValueError,
            "`return_all_beams`.*num_return_sequences",
        ),
        (
            lambda: SAMPLERS.BeamSampler(temperature=0.5),
            ValueError,
            "`temperature`.*BeamSampler.*0.5",
        ),
        (
            lambda: SAMPLERS.RandomSampler(temperature=0.0),
            ValueError,
            "`temperature`.*above 0",
        ),
        (
            lambda: SAMPLERS.SpeculativeSampler(),
            ValueError,
            "no draft model.*prompt_lookup_num_tokens",
        ),
    ],
)
def test_a_sampler_without_counterpart_is_refused(lm, make, error, words):
    sampler = make()
    with pytest.raises(error, match=words):
        lm.compile(sampler=sampler)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"num_beam": 3}, TypeError, "'num_beam'.*Did you mean"),
        ({"num_return_sequences": 2}, TypeError, "'num_return_sequences'"),
        ({"num_beams": 0}, ValueError, "num_beams"),
    ],
)
def test_options_of_our_sampler_are_checked(options, error, words):
    with pytest.raises(error, match=words):
        LEDSampler(**options)


def test_our_sampler_survives_and_stays_with_its_model():
    sampler = LEDSampler(seed=3, num_beams=2)
    again = SAMPLERS.deserialize(SAMPLERS.serialize(sampler))
    assert again.get_config() == {"seed": 3, "num_beams": 2}
    with pytest.raises(TypeError, match="must be the sampler of an"):
        sampler(lambda *_: None, None)

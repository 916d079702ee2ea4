"""Prompt lookup: the tokens of greedy search, in fewer passes."""

import numpy as np
import pytest

from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.compiled import compiled
from keras_led.generation.loop.run import prepare
from tests import peer
from tests.generation.fakes import FakeModel
from tests.generation.pairs import documents
from tests.generation.pairs import models
from tests.generation.search.test_search import random_documents
from tests.generation.search.test_search import random_model


@pytest.mark.parametrize("count", [1, 3, 30])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_length": 4},
        {"no_repeat_ngram_size": 2, "min_length": 5},
        {
            "decoder_input_ids": np.array([[2, 5, 6]] * 3),
            "decoder_attention_mask": [[1, 1, 1], [0, 1, 1], [1, 1, 1]],
        },
        {"eos_token_id": [4, 7], "max_matching_ngram_size": 1},
    ],
    ids=["plain", "short", "processors", "prompt", "ends"],
)
def test_same_tokens_as_greedy(count, options):
    model, ids = random_model(7), random_documents(8, batch=3, length=13)
    options = {
        "global_attention_mask": np.zeros_like(ids),
        "max_length": 14,
        **options,
    }
    expected = model.generate(ids, **options)
    found = model.generate(ids, prompt_lookup_num_tokens=count, **options)
    np.testing.assert_array_equal(peer.to_numpy(found), peer.to_numpy(expected))


def test_same_tokens_as_greedy_with_a_real_model():
    _, ours = models()
    inputs = documents(batch=2)
    expected = ours.generate(**inputs, max_length=14)
    found = ours.generate(**inputs, max_length=14, prompt_lookup_num_tokens=4)
    np.testing.assert_array_equal(peer.to_numpy(found), peer.to_numpy(expected))


def passes(model, ids, count):
    """How often the decoder runs."""
    request = read_request(
        model.config,
        model.generation_config,
        {
            "input_ids": ids,
            "global_attention_mask": np.zeros_like(ids),
            "prompt_lookup_num_tokens": count,
            "max_length": 11,
        },
    )
    decoder, key, inputs, *_ = prepare(model, request)
    result = compiled(model, ("run", *key), lambda: decoder.run)(inputs)
    return int(result["passes"]), peer.to_numpy(result["sequences"]).tolist()


def test_copied_phrases_take_fewer_passes():
    """The text is 3 4 5 6 7 8 9 eos; the document has it from 4 on."""
    table = np.full((11, 11), -9.0)
    for last, token in zip(
        [2, 3, 4, 5, 6, 7, 8, 9], [3, 4, 5, 6, 7, 8, 9, 2], strict=True
    ):
        table[last, token] = 0.0
    ids = np.array([[10, 10, 4, 5, 6, 7, 8, 9, 10]])
    text = [[2, 3, 4, 5, 6, 7, 8, 9, 2, 1, 1]]
    # After 2 and 3 there is no draft: 3, 4. After 4 the draft 5 6 7 holds,
    # and 8 comes with it; after 8 the draft is 9 10 -, and eos comes instead
    # of 10.
    assert passes(FakeModel(table), ids, 3) == (4, text)
    # One token at a time: 3 | 4 | 5 6 | 7 8 | 9 eos.
    assert passes(FakeModel(table), ids, 1) == (5, text)

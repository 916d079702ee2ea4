"""The user's own code between the steps."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from keras_led.generation import LogitsProcessor
from keras_led.generation.options import stopping
from keras_led.generation.processors.ngrams import NoRepeatNGram
from tests import peer
from tests.generation.pairs import documents
from tests.generation.pairs import generate_ours
from tests.generation.pairs import generate_theirs
from tests.generation.pairs import models
from tests.generation.search.test_search import random_documents
from tests.generation.search.test_search import random_model


def both(ours_options, theirs_options, **shared):
    """Token ids of both models, with their own form of the same hook."""
    theirs, ours = models()
    shared = {"max_length": 14, **shared}
    expected = generate_theirs(theirs, documents(), **theirs_options, **shared)
    found = generate_ours(ours, documents(), **ours_options, **shared)
    np.testing.assert_array_equal(
        peer.to_numpy(found.sequences), expected.sequences.numpy()
    )
    return peer.to_numpy(found.sequences)


def favour(input_ids, scores):
    """Adds to the score of each row's last token plus one."""
    rows = peer.to_numpy(scores).copy()
    for row, ids in zip(rows, peer.to_numpy(input_ids), strict=True):
        row[(int(ids[-1]) + 1) % len(row)] += 20.0
    return rows


@pytest.mark.parametrize("beams", [1, 3])
def test_user_processor(beams):
    import torch
    from transformers import LogitsProcessorList

    def favour_torch(input_ids, scores):
        return torch.from_numpy(favour(input_ids, scores))

    sequences = both(
        {"logits_processor": [favour]},
        {"logits_processor": LogitsProcessorList([favour_torch])},
        num_beams=beams,
        no_repeat_ngram_size=2,
    )
    plain = generate_ours(
        models()[1],
        documents(),
        max_length=14,
        num_beams=beams,
        no_repeat_ngram_size=2,
    )
    assert not np.array_equal(sequences, peer.to_numpy(plain.sequences))


@dataclasses.dataclass(frozen=True)
class Favour(LogitsProcessor):
    """`favour` as a tensor function, for the compiled loop."""

    def process(self, scores, tokens, length, prepared):
        last = ops.take(tokens, length - 1, axis=1)
        target = ops.one_hot((last + 1) % scores.shape[1], scores.shape[1])
        return scores + 20.0 * target


def test_compiled_user_processor_equals_the_python_one():
    model, ids = random_model(0), random_documents(0)
    mask = np.zeros_like(ids)
    options = {"max_length": 9, "num_beams": 2, "global_attention_mask": mask}
    compiled = model.generate(ids, logits_processor=[Favour()], **options)
    python = model.generate(ids, logits_processor=[favour], **options)
    np.testing.assert_array_equal(
        peer.to_numpy(compiled), peer.to_numpy(python)
    )


def test_a_processor_of_a_built_in_type_takes_its_place():
    model, ids = random_model(1), random_documents(1)
    mask = np.zeros_like(ids)
    options = {"max_length": 12, "global_attention_mask": mask}
    replaced = model.generate(
        ids,
        no_repeat_ngram_size=1,
        logits_processor=[NoRepeatNGram(3)],
        **options,
    )
    expected = model.generate(ids, no_repeat_ngram_size=3, **options)
    other = model.generate(ids, no_repeat_ngram_size=1, **options)
    replaced, expected = peer.to_numpy(replaced), peer.to_numpy(expected)
    np.testing.assert_array_equal(replaced, expected)
    assert not np.array_equal(replaced, peer.to_numpy(other))


def test_a_processor_must_keep_the_shape():
    model, ids = random_model(1), random_documents(1, batch=1)
    with pytest.raises(ValueError, match=r"shape=\(1, 3\), expected \(1, 11\)"):
        model.generate(
            ids,
            global_attention_mask=np.zeros_like(ids),
            logits_processor=[lambda ids, scores: scores[:, :3]],
            max_length=4,
        )


def last_is_even(input_ids, scores):
    return (peer.to_numpy(input_ids)[:, -1] % 2 == 0) & (
        peer.to_numpy(input_ids).shape[1] > 4
    )


@pytest.mark.parametrize("beams", [1, 3])
def test_stopping_criteria(beams):
    import torch
    from transformers import StoppingCriteriaList

    def stop_torch(input_ids, scores, **kwargs):
        return torch.from_numpy(last_is_even(input_ids, scores))

    both(
        {"stopping_criteria": [last_is_even]},
        {"stopping_criteria": StoppingCriteriaList([stop_torch])},
        num_beams=beams,
        no_repeat_ngram_size=2,
    )


def test_a_criterion_of_a_wrong_shape_is_named():
    model, ids = random_model(1), random_documents(1, batch=2)
    with pytest.raises(ValueError, match=r"2 rows\. Received: shape=\(3,\)"):
        model.generate(
            ids,
            global_attention_mask=np.zeros_like(ids),
            stopping_criteria=[lambda ids, scores: np.zeros(3, bool)],
            max_length=4,
        )


def allowed(document, tokens):
    """Only tokens of one residue; nothing that is likely at all."""
    return [t for t in range(53) if (t + len(tokens)) % 4 == document]


@pytest.mark.parametrize("beams", [1, 3])
def test_prefix_function(beams):
    sequences = both(
        {"prefix_allowed_tokens_fn": allowed},
        {"prefix_allowed_tokens_fn": allowed},
        num_beams=beams,
        eos_token_id=None,
    )
    places = np.arange(1, 14)
    for document, row in enumerate(sequences[:, 1:]):
        assert np.all((row + places) % 4 == document)


def test_prefix_function_wins_over_a_ban():
    """Where every allowed token is banned, the allowed ones come back."""
    # One token is allowed: two would tie, in an order nobody promises.
    sequences = both(
        {"prefix_allowed_tokens_fn": lambda document, tokens: [7]},
        {"prefix_allowed_tokens_fn": lambda document, tokens: [7]},
        no_repeat_ngram_size=1,
        max_length=8,
    )
    assert np.all(sequences[:, 1:] == 7)


def test_a_prefix_function_must_allow_something():
    model, ids = random_model(1), random_documents(1, batch=1)
    with pytest.raises(ValueError, match=r"Received: \[\] for document 0"):
        model.generate(
            ids,
            global_attention_mask=np.zeros_like(ids),
            prefix_allowed_tokens_fn=lambda document, tokens: [],
            max_length=4,
        )


def test_max_time_stops_all_rows(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(
        stopping.MaxTime,
        "__init__",
        lambda self, seconds: self.__dict__.update(
            clock=lambda: next(ticks), deadline=seconds
        ),
    )
    model, ids = random_model(2), random_documents(2)
    output = model.generate(
        ids,
        global_attention_mask=np.zeros_like(ids),
        max_time=2.5,  # asked after each token: 0, 1, 2, 3
        eos_token_id=None,
        max_length=12,
    )
    assert output.shape == (4, 5)


def test_max_time_reads_its_clock():
    times = iter([10.0, 10.5, 11.1])
    criterion = stopping.MaxTime(1.0, clock=lambda: next(times))
    assert criterion(None, None) is False
    assert criterion(None, None) is True


class Letters:
    """Token `n` is the letter `n`, but 9 is "xy" and 10 is nothing."""

    def decode(self, ids, skip_special_tokens):
        assert not skip_special_tokens
        special = {9: "xy", 10: ""}
        return "".join(
            special.get(int(i), "abcdefghi"[int(i) % 9]) for i in ids
        )


@pytest.mark.parametrize(
    ("ids", "strings", "stops"),
    [
        ([0, 1, 2], "c", True),
        ([0, 1, 2], "bc", True),
        ([0, 1, 2], ["zz", "abc"], True),
        ([0, 1, 2], "ab", False),  # was there before the last token
        ([0, 1, 2, 0, 1], "ab", True),  # once more
        ([0, 9], "bx", False),
        ([0, 9], "ax", True),  # ends inside the last token
        ([0, 9], "x", True),
        ([9, 0], "x", False),
        ([0, 1, 10], "ab", False),  # the last token adds no text
    ],
)
def test_stop_strings(ids, strings, stops):
    criterion = stopping.StopStrings(Letters(), strings)
    assert criterion(np.array([ids]), None).tolist() == [stops]

"""Sampling: the right distribution, and the same draws from the same seed."""

import numpy as np
import pytest

from tests import peer
from tests.generation.fakes import FakeModel
from tests.generation.search.test_search import random_documents
from tests.generation.search.test_search import random_model

# Probabilities of tokens 3, 4, 5, 6 after the start token, which is 2.
PROBABILITIES = np.array([0.5, 0.25, 0.15, 0.1])
DRAWS = 1500
# The chi-square distribution exceeds this with probability 1e-4, by degrees
# of freedom: 15.14, 18.42, 21.11 (tables).
LIMITS = {1: 15.14, 2: 18.42, 3: 21.11}


def first_tokens(seed=1, **options):
    """Draws the first token of `DRAWS` rows in one call."""
    table = np.full((7, 7), -60.0)
    table[:, 3:] = np.log(PROBABILITIES)
    output = FakeModel(table).generate(
        np.full((1, 2), 3),
        global_attention_mask=np.zeros((1, 2)),
        do_sample=True,
        num_return_sequences=DRAWS,
        max_new_tokens=1,
        seed=seed,
        **options,
    )
    return peer.to_numpy(output)[:, 1].astype(int)


def chi_square(tokens, probabilities):
    """Statistic and degrees of freedom of draws from tokens 3, 4, 5, 6."""
    counts = np.bincount(tokens, minlength=7)[3:]
    kept = probabilities > 0
    assert counts[~kept].sum() == 0
    expected = DRAWS * probabilities[kept] / probabilities.sum()
    return ((counts[kept] - expected) ** 2 / expected).sum(), kept.sum() - 1


@pytest.mark.parametrize(
    ("options", "probabilities"),
    [
        ({}, PROBABILITIES),
        ({"temperature": 0.5}, PROBABILITIES**2),
        ({"temperature": 2.0}, PROBABILITIES**0.5),
        ({"top_k": 2}, PROBABILITIES * [1, 1, 0, 0]),
        ({"top_p": 0.85}, PROBABILITIES * [1, 1, 1, 0]),
        ({"min_p": 0.4}, PROBABILITIES * [1, 1, 0, 0]),
        ({"epsilon_cutoff": 0.12}, PROBABILITIES * [1, 1, 1, 0]),
        ({"suppress_tokens": [3]}, PROBABILITIES * [0, 1, 1, 1]),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_distribution(options, probabilities):
    statistic, freedom = chi_square(first_tokens(**options), probabilities)
    assert statistic < LIMITS[freedom]


def test_the_test_can_fail():
    statistic, freedom = chi_square(first_tokens(), PROBABILITIES**1.3)
    assert statistic > LIMITS[freedom]


def test_seeds():
    tokens = first_tokens(seed=5)
    np.testing.assert_array_equal(tokens, first_tokens(seed=5))
    assert not np.array_equal(tokens, first_tokens(seed=6))
    pair = first_tokens(seed=[5, 6])
    np.testing.assert_array_equal(pair, first_tokens(seed=np.array([5, 6])))
    assert not np.array_equal(pair, first_tokens(seed=[6, 5]))


def test_without_a_seed_keras_own_seed_counts():
    import keras

    keras.utils.set_random_seed(3)
    first, second = first_tokens(seed=None), first_tokens(seed=None)
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(first, first_tokens(seed=None))
    assert not np.array_equal(first, second)


def test_each_step_draws_anew():
    """One uniform number used at every step would repeat one token."""
    table = np.zeros((40, 40))
    table[:, :3] = -60.0
    output = FakeModel(table).generate(
        np.full((1, 2), 3),
        global_attention_mask=np.zeros((1, 2)),
        do_sample=True,
        top_k=0,
        num_return_sequences=3,
        max_length=16,
        seed=0,
    )
    rows = peer.to_numpy(output)[:, 1:].astype(int)
    assert all(len(set(row.tolist())) > 8 for row in rows)
    assert len({tuple(row.tolist()) for row in rows}) == 3


def test_python_steps_draw_what_the_compiled_loop_draws():
    model, ids = random_model(0), random_documents(0)
    options = {
        "global_attention_mask": np.zeros_like(ids),
        "do_sample": True,
        "num_return_sequences": 2,
        "max_length": 10,
        "seed": 11,
    }
    for beams in (1, 2):
        loop = model.generate(ids, num_beams=beams, **options)
        steps = model.generate(
            ids,
            num_beams=beams,
            stopping_criteria=[lambda ids, scores: False],
            **options,
        )
        np.testing.assert_array_equal(peer.to_numpy(loop), peer.to_numpy(steps))


def test_beam_sampling_draws_without_replacement():
    """The candidates of one step are all different continuations."""
    table = np.full((7, 7), -60.0)
    table[:, 3:] = np.log(PROBABILITIES)
    for seed in range(3):
        output = FakeModel(table).generate(
            np.full((1, 2), 3),
            global_attention_mask=np.zeros((1, 2)),
            do_sample=True,
            num_beams=2,
            num_return_sequences=2,
            max_new_tokens=1,
            seed=seed,
        )
        first, second = peer.to_numpy(output)[:, 1]
        assert first != second


def test_beam_sampling_follows_the_probabilities():
    """With two beams and 4 candidates of 4, the first two drawn finish.

    Among ordered pairs without replacement, token i is in the pair with
    probability p_i + sum_j p_j p_i / (1 - p_j).
    """
    rows = 400
    table = np.full((7, 7), -60.0)
    table[:, 3:] = np.log(PROBABILITIES)
    output = FakeModel(table).generate(
        np.full((rows, 2), 3),
        global_attention_mask=np.zeros((rows, 2)),
        do_sample=True,
        num_beams=2,
        num_return_sequences=2,
        max_new_tokens=1,
        seed=4,
    )
    pairs = peer.to_numpy(output)[:, 1].reshape(rows, 2)
    p = PROBABILITIES
    for index in range(4):
        others = [p[j] * p[index] / (1 - p[j]) for j in range(4) if j != index]
        expected = p[index] + sum(others)
        share = np.mean(np.any(pairs == index + 3, axis=1))
        # 4 standard deviations of a share of `rows` draws.
        limit = 4 * np.sqrt(expected * (1 - expected) / rows)
        assert abs(share - expected) < limit

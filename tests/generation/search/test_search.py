"""Searches on a fake model, with expected tokens worked out by hand."""

import numpy as np
import pytest

from tests import peer
from tests.generation.fakes import FakeModel

EOS = 2


def log_table(rows, vocab_size=7, rest=-50.0):
    """Logits by last token from `{last: {next: probability}}`."""
    table = np.full((vocab_size, vocab_size), rest)
    for last, following in rows.items():
        for token, probability in following.items():
            table[last, token] = np.log(probability)
    return table


# Greedy goes 2 -> 3 (0.6) -> 5 (0.5) -> 2: 0.6 * 0.5 * 0.9 = 0.27.
# The best text begins with the weaker 4: 0.4 * 0.9 * 0.9 = 0.324.
GARDEN_PATH = log_table(
    {
        2: {3: 0.6, 4: 0.4},
        3: {5: 0.5, 6: 0.3, 2: 0.2},
        4: {6: 0.9, 5: 0.1},
        5: {2: 0.9, 3: 0.1},
        6: {2: 0.9, 4: 0.1},
    }
)
IDS = np.array([[3, 4, 5]])
ONCE = {"global_attention_mask": np.array([[1, 0, 0]]), "max_length": 6}


def test_greedy_takes_the_best_token_each_time():
    output = FakeModel(GARDEN_PATH).generate(IDS, **ONCE)
    assert peer.to_numpy(output).tolist() == [[2, 3, 5, 2]]


@pytest.mark.parametrize("rule", ["", "encoder_"])
def test_an_n_gram_longer_than_the_text_is_never_looked_for(rule):
    # Its size was that of a tensor: 343 GB.
    size = {f"{rule}no_repeat_ngram_size": 2**31 - 1}
    output = FakeModel(GARDEN_PATH).generate(IDS, **size, **ONCE)
    assert peer.to_numpy(output).tolist() == [[2, 3, 5, 2]]


def test_beams_find_the_best_text():
    output = FakeModel(GARDEN_PATH).generate(
        IDS,
        num_beams=2,
        num_return_sequences=2,
        length_penalty=0.0,
        return_dict_in_generate=True,
        **ONCE,
    )
    assert peer.to_numpy(output.sequences).tolist() == [
        [2, 4, 6, 2],
        [2, 3, 5, 2],
    ]
    np.testing.assert_allclose(
        np.exp(peer.to_numpy(output.sequences_scores)), [0.324, 0.27], rtol=1e-5
    )
    # The first tokens come from beam 0 alone; the winner's history then is
    # that of the second running beam, and of the first from there on.
    assert peer.to_numpy(output.beam_indices).tolist() == [[0, 1, 0], [0, 0, 1]]


def test_the_length_penalty_divides_by_the_generated_tokens():
    """3 -> eos: 0.6 * 0.2 = 0.12 in 2 tokens, against 0.324 in 3."""
    kept = FakeModel(GARDEN_PATH).generate(
        IDS,
        num_beams=4,
        num_return_sequences=3,
        length_penalty=-2.0,
        early_stopping="never",
        return_dict_in_generate=True,
        **ONCE,
    )
    scores = dict(
        zip(
            [tuple(row) for row in peer.to_numpy(kept.sequences).tolist()],
            peer.to_numpy(kept.sequences_scores).tolist(),
            strict=True,
        )
    )
    expected = {
        (2, 3, 2, 1): np.log(0.12) * 2**2,
        (2, 4, 6, 2): np.log(0.324) * 3**2,
        (2, 3, 5, 2): np.log(0.27) * 3**2,
    }
    assert scores == pytest.approx(expected, rel=1e-4)


def test_finished_rows_are_padded_and_the_loop_ends_with_the_last():
    table = log_table({2: {3: 1.0}, 3: {4: 1.0}, 4: {5: 1.0}, 5: {2: 1.0}})
    document = np.zeros((7, 7))
    document[6, 2] = 60.0  # a document with a 6 in it ends at once
    model = FakeModel(table, document=document)
    output = model.generate(
        np.array([[3, 3], [6, 3]]),
        global_attention_mask=np.array([[1, 0], [1, 0]]),
        max_length=16,
    )
    assert peer.to_numpy(output).tolist() == [[2, 3, 4, 5, 2], [2, 2, 1, 1, 1]]


def test_several_end_tokens():
    output = FakeModel(GARDEN_PATH).generate(IDS, eos_token_id=[2, 5], **ONCE)
    assert peer.to_numpy(output).tolist() == [[2, 3, 5]]


def test_padding_is_found_in_the_ids():
    """Only tokens that are no padding may count, as with a mask."""
    random = np.random.default_rng(0)
    model = FakeModel(
        random.normal(size=(7, 7)), document=random.normal(size=(7, 7))
    )
    ids = np.array([[3, 4, 5, 6], [4, 5, 1, 1]])
    options = {**ONCE, "global_attention_mask": np.zeros_like(ids)}
    inferred = peer.to_numpy(model.generate(ids, **options))
    given = model.generate(ids, attention_mask=ids != 1, **options)
    alone = model.generate(
        ids[1:, :2], **{**ONCE, "global_attention_mask": np.zeros((1, 2))}
    )
    ignored = model.generate(ids, attention_mask=np.ones((2, 4)), **options)
    np.testing.assert_array_equal(inferred, peer.to_numpy(given))
    np.testing.assert_array_equal(inferred[1:], peer.to_numpy(alone))
    assert not np.array_equal(inferred, peer.to_numpy(ignored))


def random_model(seed):
    random = np.random.default_rng(seed)
    size = (11, 11)
    last = random.normal(scale=2.0, size=size)
    last[:, EOS] += 1.5
    return FakeModel(
        last,
        history=random.normal(scale=0.5, size=size),
        document=random.normal(scale=0.5, size=size),
    )


def random_documents(seed, batch=4, length=6):
    random = np.random.default_rng(seed)
    return random.integers(3, 11, (batch, length)).astype("int32")


@pytest.mark.parametrize("early_stopping", [False, True, "never"])
def test_a_row_does_not_depend_on_the_rest_of_its_batch(early_stopping):
    model, ids = random_model(1), random_documents(2)
    mask = np.zeros_like(ids)
    options = {
        "num_beams": 3,
        "num_return_sequences": 2,
        "max_length": 12,
        "early_stopping": early_stopping,
        "return_dict_in_generate": True,
    }
    together = model.generate(ids, global_attention_mask=mask, **options)
    sequences = peer.to_numpy(together.sequences).reshape(4, 2, -1)
    scores = peer.to_numpy(together.sequences_scores).reshape(4, 2)
    for row in range(4):
        alone = model.generate(
            ids[row : row + 1],
            global_attention_mask=mask[row : row + 1],
            **options,
        )
        found = peer.to_numpy(alone.sequences)
        width = found.shape[1]
        np.testing.assert_array_equal(sequences[row, :, :width], found)
        assert np.all(sequences[row, :, width:] == 1)
        np.testing.assert_allclose(
            scores[row], peer.to_numpy(alone.sequences_scores), rtol=1e-5
        )


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("padded", [False, True])
def test_cached_equals_uncached(beams, padded):
    model, ids = random_model(3), random_documents(4, batch=2)
    options = {
        "global_attention_mask": np.zeros_like(ids),
        "num_beams": beams,
        "max_length": 12,
        "decoder_input_ids": np.array([[2, 5, 6, 7], [2, 8, 9, 9]]),
    }
    if padded:
        options["decoder_attention_mask"] = [[1, 1, 1, 1], [0, 0, 1, 1]]
    cached = peer.to_numpy(model.generate(ids, **options))
    uncached = model.generate(ids, use_cache=False, **options)
    np.testing.assert_array_equal(cached, peer.to_numpy(uncached))
    if padded:
        del options["decoder_attention_mask"]
        whole = peer.to_numpy(model.generate(ids, **options))
        assert not np.array_equal(cached, whole)


def test_encoder_outputs_are_used_again_and_left_alone():
    model, ids = random_model(5), random_documents(6)
    mask = np.zeros_like(ids)
    options = {"num_beams": 3, "max_length": 10}
    expected = model.generate(ids, global_attention_mask=mask, **options)
    hidden = np.eye(11, dtype="float32")[ids]
    before = hidden.copy()
    for given in ((hidden,), {"last_hidden_state": hidden}):
        found = model.generate(encoder_outputs=given, **options)
        again = model.generate(encoder_outputs=given, **options)
        for output in (found, again):
            np.testing.assert_array_equal(
                peer.to_numpy(output), peer.to_numpy(expected)
            )
    assert model.encoder_runs == 1
    np.testing.assert_array_equal(hidden, before)

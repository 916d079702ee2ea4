"""Every built-in processor against the peer's class of the same rule."""

import math

import numpy as np
import pytest
from keras import ops

from keras_led.generation.processors import ngrams
from keras_led.generation.processors import scores as processors
from keras_led.generation.processors import warpers
from keras_led.generation.processors.scores import Documents
from tests import peer

V, ROWS, LENGTH, SIZE = 23, 4, 9, 13


def tokens_so_far(seed=0):
    """Rows of few different tokens, with undefined places at the end."""
    random = np.random.default_rng(seed)
    tokens = random.integers(0, 5, (ROWS, SIZE)).astype("int32")
    tokens[:, LENGTH:] = 1
    return tokens


def scores_before(seed=1):
    random = np.random.default_rng(seed)
    scores = random.normal(scale=2.0, size=(ROWS, V)).astype("float32")
    scores[:, 20] = -math.inf  # forbidden already
    return scores


def document_ids(seed=2):
    random = np.random.default_rng(seed)
    return random.integers(0, 6, (ROWS // 2, 7)).astype("int32")


def run_ours(processor, tokens, scores, length=LENGTH, prompt_start=None):
    ids = np.pad(document_ids(), ((0, 0), (0, 5)), constant_values=1)
    documents = Documents(
        rows=2,
        vocab_size=V,
        input_ids=ops.convert_to_tensor(ids),
        width=ops.convert_to_tensor(7, dtype="int32"),
        prompt_start=prompt_start,
    )
    changed = processor.process(
        ops.convert_to_tensor(scores),
        ops.convert_to_tensor(tokens),
        ops.convert_to_tensor(length, dtype="int32"),
        processor.prepare(documents),
    )
    return peer.to_numpy(changed)


def run_theirs(processor, tokens, scores, length=LENGTH):
    import torch

    return processor(
        torch.from_numpy(tokens[:, :length].astype("int64")),
        torch.from_numpy(scores.copy()),
    ).numpy()


def theirs(name, *args, **kwargs):
    from transformers.generation import logits_process

    return getattr(logits_process, name)(*args, **kwargs)


def torch_ids():
    import torch

    return torch.from_numpy(document_ids().astype("int64"))


BIASES = (((3,), 2.5), ((1, 4), -1.0), ((2, 0, 4), 3.0), ((1, 7), -math.inf))
EOS = (2, 6)
CASES = {
    "repetition": (
        processors.RepetitionPenalty(1.7),
        lambda: theirs("RepetitionPenaltyLogitsProcessor", 1.7),
    ),
    "encoder repetition": (
        processors.EncoderRepetitionPenalty(1.4),
        lambda: theirs(
            "EncoderRepetitionPenaltyLogitsProcessor", 1.4, torch_ids()
        ),
    ),
    "bias": (
        ngrams.SequenceBias(BIASES),
        lambda: theirs("SequenceBiasLogitsProcessor", dict(BIASES)),
    ),
    "forced eos": (
        processors.ForcedEOS(LENGTH + 1, EOS),
        lambda: theirs("ForcedEOSTokenLogitsProcessor", LENGTH + 1, list(EOS)),
    ),
    "forced bos": (
        processors.ForcedBOS(4),
        lambda: theirs("ForcedBOSTokenLogitsProcessor", 4),
    ),
    "min length": (
        processors.MinLength(LENGTH + 1, EOS),
        lambda: theirs("MinLengthLogitsProcessor", LENGTH + 1, list(EOS)),
    ),
    "min length reached": (
        processors.MinLength(LENGTH, EOS),
        lambda: theirs("MinLengthLogitsProcessor", LENGTH, list(EOS)),
    ),
    "decay": (
        processors.ExponentialDecay(3, 1.3, (2, 20)),
        lambda: theirs("ExponentialDecayLengthPenalty", (2, 1.3), [2, 20], 1),
    ),
    "suppress": (
        processors.SuppressTokens((3, 5)),
        lambda: theirs("SuppressTokensLogitsProcessor", [3, 5]),
    ),
    "begin suppress": (
        processors.BeginSuppressTokens((3, 5), LENGTH),
        lambda: theirs("SuppressTokensAtBeginLogitsProcessor", [3, 5], LENGTH),
    ),
    "renormalize": (
        processors.Renormalize(),
        lambda: theirs("LogitNormalization"),
    ),
    "temperature": (
        warpers.Temperature(0.6),
        lambda: theirs("TemperatureLogitsWarper", 0.6),
    ),
    "top k": (warpers.TopK(5), lambda: theirs("TopKLogitsWarper", 5)),
    "top k of all": (warpers.TopK(99), lambda: theirs("TopKLogitsWarper", 99)),
    "top p": (
        warpers.TopP(0.7, 3),
        lambda: theirs("TopPLogitsWarper", 0.7, min_tokens_to_keep=3),
    ),
    "small top p": (
        warpers.TopP(0.01, 3),
        lambda: theirs("TopPLogitsWarper", 0.01, min_tokens_to_keep=3),
    ),
    "min p": (
        warpers.MinP(0.3, 2),
        lambda: theirs("MinPLogitsWarper", 0.3, min_tokens_to_keep=2),
    ),
    "typical": (
        warpers.Typical(0.6, 2),
        lambda: theirs("TypicalLogitsWarper", 0.6, min_tokens_to_keep=2),
    ),
    "small typical": (
        warpers.Typical(0.01, 4),
        lambda: theirs("TypicalLogitsWarper", 0.01, min_tokens_to_keep=4),
    ),
    "epsilon": (
        warpers.EpsilonCutoff(0.1, 2),
        lambda: theirs("EpsilonLogitsWarper", 0.1, min_tokens_to_keep=2),
    ),
    "large epsilon": (
        warpers.EpsilonCutoff(0.9, 3),
        lambda: theirs("EpsilonLogitsWarper", 0.9, min_tokens_to_keep=3),
    ),
    "eta": (
        warpers.EtaCutoff(0.2, 2),
        lambda: theirs("EtaLogitsWarper", 0.2, min_tokens_to_keep=2),
    ),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES)
def test_same_scores_as_the_peer(case, seed):
    ours, make_theirs = CASES[case]
    tokens, scores = tokens_so_far(seed), scores_before(seed + 10)
    expected = run_theirs(make_theirs(), tokens, scores)
    found = run_ours(ours, tokens, scores)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 3, LENGTH, SIZE - 1])
@pytest.mark.parametrize("size", [1, 2, 3, 4, SIZE + 1])
def test_ngrams(size, length):
    tokens, scores = tokens_so_far(size), scores_before()
    tokens[:, LENGTH:] = tokens[:, : SIZE - LENGTH]
    for ours, name, args in (
        (ngrams.NoRepeatNGram(size), "NoRepeatNGram", (size,)),
        (
            ngrams.EncoderNoRepeatNGram(size),
            "EncoderNoRepeatNGram",
            (size, torch_ids()),
        ),
    ):
        expected = run_theirs(
            theirs(f"{name}LogitsProcessor", *args), tokens, scores, length
        )
        found = run_ours(ours, tokens, scores, length)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_biases_of_words_longer_than_the_text(length):
    tokens, scores = tokens_so_far(), scores_before()
    tokens[0, :3] = [2, 0, 4]
    expected = run_theirs(
        theirs("SequenceBiasLogitsProcessor", dict(BIASES)),
        tokens,
        scores,
        length,
    )
    found = run_ours(ngrams.SequenceBias(BIASES), tokens, scores, length)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_forced_bos_comes_after_one_token():
    tokens, scores = tokens_so_far(), scores_before()
    found = run_ours(processors.ForcedBOS(4), tokens, scores, length=1)
    expected = np.full((ROWS, V), -math.inf)
    expected[:, 4] = 0.0
    np.testing.assert_array_equal(found, expected)


def test_repetition_ignores_padding_before_the_prompt():
    tokens, scores = tokens_so_far(), np.ones((ROWS, V), "float32")
    tokens[:] = np.arange(SIZE)
    start = ops.convert_to_tensor(np.array([0, 2, 3, 9], "int32"))
    found = run_ours(
        processors.RepetitionPenalty(2.0), tokens, scores, 5, start
    )
    halved = [np.flatnonzero(row == 0.5).tolist() for row in found]
    assert halved == [[0, 1, 2, 3, 4], [2, 3, 4], [3, 4], []]


def test_invalid_scores_become_finite():
    scores = np.zeros((1, 4), "float32")
    scores[0] = [math.nan, math.inf, -math.inf, 1.5]
    found = run_ours(processors.RemoveInvalid(), tokens_so_far()[:1], scores)
    largest = np.finfo("float32").max
    np.testing.assert_array_equal(found, [[0.0, largest, -largest, 1.5]])

"""Token accuracy and perplexity against numpy."""

import keras
import numpy as np
import pytest

from keras_led.training.metrics import Perplexity
from keras_led.training.metrics import TokenAccuracy

IGNORED, PAD = -100, 1
BATCHES, ROWS, TARGETS, VOCABULARY = 2, 3, 5, 11


def batches():
    random = np.random.default_rng(3)
    labels = random.integers(2, VOCABULARY, (BATCHES, ROWS, TARGETS))
    labels[0, 1, 2:] = IGNORED
    labels[1, 0, 4] = PAD
    labels[1, 2] = IGNORED
    logits = random.standard_normal((*labels.shape, VOCABULARY)) * 2
    # The most likely token is right now and then.
    right = random.random(labels.shape) < 0.4
    logits += (
        9 * right[..., None] * (np.arange(VOCABULARY) == labels[..., None])
    )
    return labels.astype("int32"), logits.astype("float32")


def expected(labels, logits, ignored, weights):
    """Sums over single tokens, one after the other."""
    right = loss = total = 0.0
    for place in np.ndindex(labels.shape):
        if labels[place] in ignored:
            continue
        scores = logits[place].astype("float64")
        likely = np.exp(scores) / np.exp(scores).sum()
        weight = weights[place]
        right += weight * (likely.argmax() == labels[place])
        loss -= weight * np.log(likely[labels[place]])
        total += weight
    return right / total, np.exp(loss / total)


@pytest.mark.parametrize("ignored", [(IGNORED,), (IGNORED, PAD)])
@pytest.mark.parametrize("weighted", ["no", "rows", "column", "tokens"])
def test_they_equal_the_sums_over_the_tokens_that_count(ignored, weighted):
    labels, logits = batches()
    weights = np.random.default_rng(4).random(labels.shape).astype("float32")
    if weighted in ("rows", "column"):
        weights[:] = weights[:, :, :1]
    given = {
        "no": [None] * BATCHES,
        "rows": weights[:, :, 0],
        "column": weights[:, :, :1],
        "tokens": weights,
    }[weighted]
    if weighted == "no":
        weights = np.ones_like(weights)
    metrics = TokenAccuracy(ignored), Perplexity(ignored)
    for batch in zip(labels, logits, given, strict=True):
        for metric in metrics:
            metric.update_state(*batch)
    found = [float(metric.result()) for metric in metrics]
    np.testing.assert_allclose(
        found, expected(labels, logits, ignored, weights), rtol=1e-5
    )


def test_probabilities_do_as_well():
    labels, logits = batches()
    likely = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    metric = Perplexity(from_logits=False)
    metric.update_state(labels[0], likely[0])
    wanted = expected(
        labels[0], logits[0], (IGNORED,), np.ones(labels[0].shape)
    )
    assert float(metric.result()) == pytest.approx(wanted[1], rel=1e-4)


def test_nothing_that_counts_gives_zero():
    labels, logits = batches()
    for metric in (TokenAccuracy(), Perplexity()):
        assert float(metric.result()) == 0
        metric.update_state(np.full_like(labels[0], IGNORED), logits[0])
        assert float(metric.result()) == 0
        metric.update_state(labels[0], logits[0])
        assert float(metric.result()) > 0
        metric.reset_state()
        assert float(metric.result()) == 0


def test_they_come_back_from_their_config():
    metrics = (
        TokenAccuracy((IGNORED, PAD), name="hits", dtype="float16"),
        Perplexity(PAD, from_logits=False, name="ppl"),
    )
    for metric in metrics:
        again = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(metric)
        )
        assert type(again) is type(metric)
        assert again.get_config() == metric.get_config()
        assert again.ignored_ids == metric.ignored_ids


def test_errors_say_what_to_pass():
    with pytest.raises(ValueError, match=r"`ignored_ids` .*'<pad>'.* \(-100,"):
        TokenAccuracy(("<pad>",))
    labels, logits = batches()
    with pytest.raises(ValueError, match=r"`y_true` .*\(3, 4\).*\(3, 5, 11\)"):
        Perplexity().update_state(labels[0, :, 1:], logits[0])

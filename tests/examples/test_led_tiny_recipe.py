"""The parts of the recipe of `led-tiny` that are neither data nor training."""

import keras
import numpy as np
import pytest

from examples import train_led_tiny
from examples.led_tiny import card
from examples.led_tiny import packages
from examples.led_tiny import pretraining
from examples.led_tiny.start import make_model
from examples.led_tiny.start import sinusoids
from keras_led import LEDTokenizer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="the recipe prepares the same on every backend",
)

PAGE = {
    "document": "frob(1)\n"
    + "\n".join(
        f"The frob program frobs thing number {i}. It reads file {i} first."
        for i in range(40)
    )
}


def test_rows_are_the_same_for_the_same_seed():
    first, again = (list(pretraining.rows([PAGE], 3)) for _ in range(2))
    assert first == again
    assert first != list(pretraining.rows([PAGE], 4))
    assert len(first) == pretraining.PIECES_PER_PAGE


def test_a_target_is_a_run_of_the_text_without_masks():
    for row in pretraining.rows([PAGE] * 20, 0):
        title, _, text = row["document"].partition("\n")
        assert title == "frob(1)"
        assert len(text) < 2 * pretraining.PIECE_CHARACTERS
        assert pretraining.MASK not in row["summary"]
        assert len(row["summary"]) <= pretraining.TARGET_CHARACTERS
        place = row["summary"].split("\n")[0]
        assert place in PAGE["document"]


def test_a_tenth_of_the_words_is_masked():
    texts = [row["document"] for row in pretraining.rows([PAGE] * 200, 0)]
    words = " ".join(texts).split()
    share = words.count(pretraining.MASK) / len(words)
    assert abs(share - pretraining.MASKED) < 0.02


def test_sinusoids_compare_by_distance_alone():
    table = sinusoids(50, 12, deviation=0.3)
    assert abs(np.sqrt(np.mean(table**2)) - 0.3) < 1e-6
    products = table @ table.T
    for distance in (0, 1, 7):
        diagonal = np.diagonal(products, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-5)
    assert products[5, 5] > products[5, 6] > products[5, 9]


def test_attention_of_a_fresh_model_passes_on_what_is_alike():
    tokenizer = LEDTokenizer.train(["frob the file"], 261)
    shape = {**train_led_tiny.SHAPE, "d_model": 16, "encoder_layers": 1}
    shape.update(decoder_layers=1, max_encoder_position_embeddings=32)
    model = make_model(tokenizer, 0, **shape)
    part = model.get_base_model().decoder.layers[0].encoder_attn

    def kernel(layer):
        return keras.ops.convert_to_numpy(layer.kernel)

    np.testing.assert_array_equal(kernel(part.q_proj), kernel(part.k_proj))
    np.testing.assert_allclose(
        kernel(part.v_proj) @ kernel(part.out_proj), np.eye(16), atol=1e-5
    )


def test_the_card_lists_scores_and_sources():
    first, second = packages.read()[:2]
    scores = {
        "led-tiny, greedy": {"test": (1.26, 2, 3), "test_unseen": [4] * 3}
    }
    counts = {first.name: 30, second.name: 12}
    text = card.render(scores, counts, 5_841_344, 4096, 256)
    assert "| led-tiny, greedy | 1.3 / 2.0 / 3.0 | 4.0 / 4.0 / 4.0 |" in text
    assert "5.8 million weights" in text
    assert "42 manual pages" in text
    assert "from 2 packages" in text
    assert f"| {first.name} | {first.version} | {first.license} | 30 |" in text

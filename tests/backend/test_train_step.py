"""The training step that JAX compiles with options of its own."""

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import backend

if keras.backend.backend() != "jax":
    pytest.skip("other backends leave it to Keras", allow_module_level=True)

BATCH = {
    "input_ids": np.arange(5, 21)[None],
    "labels": np.arange(7, 12)[None],
}


def compiled_model(config, **options):
    """A model with the same weights each time."""
    keras.utils.set_random_seed(0)
    model = LEDForConditionalGeneration(config)
    model.compile(keras.optimizers.SGD(0.1), **options)
    return model


@pytest.fixture
def config():
    return LEDConfig(
        vocab_size=40,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        attention_window=8,
        max_encoder_position_embeddings=32,
        max_decoder_position_embeddings=16,
        dropout=0.0,
    )


def test_a_step_changes_weights_as_that_of_keras_does(config, monkeypatch):
    ours, theirs = compiled_model(config), compiled_model(config)
    ours.train_on_batch(BATCH)
    monkeypatch.setattr(backend, "train_step", lambda model: None)
    theirs.train_on_batch(BATCH)
    for one, other in zip(
        ours.get_weights(), theirs.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_keras_makes_the_step_where_it_has_to(config):
    assert callable(backend.train_step(compiled_model(config)))
    for options in ({"run_eagerly": True}, {"jit_compile": False}):
        assert backend.train_step(compiled_model(config, **options)) is None
    model = compiled_model(config)
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    try:
        assert backend.train_step(model) is None
    finally:
        keras.distribution.set_distribution(None)

"""A tiny model with a tokenizer, and its export, made once."""

import keras
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import serving
from keras_led.backend import name as backend_name

TEXTS = (
    "The window slides over the document, 1024 tokens at a time.",
    "Global tokens see it all! Don't they?",
    "naïve café 日本語 😀\n\n  two  spaces\tand a tab",
)
MAX_NEW_TOKENS = 7


def tiny_model():
    """A tokenizer of the texts, and a random model whose output varies."""
    keras.utils.set_random_seed(7)
    tokenizer = LEDTokenizer.train(list(TEXTS) * 3, 300)
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        encoder_ffn_dim=12,
        decoder_ffn_dim=20,
        attention_window=8,
        max_encoder_position_embeddings=48,
        max_decoder_position_embeddings=12,
        init_std=0.7,
    )
    model = LEDForConditionalGeneration(config)
    model.generation_config.update(
        num_beams=2,
        no_repeat_ngram_size=2,
        encoder_no_repeat_ngram_size=3,
        forced_eos_token_id=2,
        early_stopping="never",
        max_length=MAX_NEW_TOKENS + 1,
    )
    return model, tokenizer


@pytest.fixture(scope="session")
def pair():
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes the SavedModel")
    return tiny_model()


@pytest.fixture(scope="session")
def exported(pair, tmp_path_factory):
    model, tokenizer = pair
    path = tmp_path_factory.mktemp("served") / "1"
    serving.export(model, path, tokenizer, max_new_tokens_input=True)
    return path


@pytest.fixture(scope="session")
def signatures(exported):
    import tensorflow as tf

    return tf.saved_model.load(str(exported)).signatures

"""A tiny LED in a Hugging Face folder, and what it is read as."""

import keras
import numpy as np
import pytest

from keras_led import GenerationConfig
from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from tests import peer

DOCUMENTS = [
    "lmap evaluates a script for each element of a list. " * 3,
    "Ein Text über 12345 Dinge, 67 of them in lists.",
    "a",
    "each element of each list of 2024 scripts " * 2,
    "script",
]
TARGETS = ["a list", "12345 Dinge", "a script of a list", "each", "element"]
# Sizes that differ between the sides; a window for each layer.
SIZES = {
    **peer.TINY,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "attention_window": [4, 6],
    "max_encoder_position_embeddings": 96,
    "max_decoder_position_embeddings": 20,
    "activation_dropout": 0.01,
}
OPTIONS = {"no_repeat_ngram_size": 2, "max_length": 14}


def draw(model, seed=4):
    """Random weights that make tokens differ from each other."""
    for variable in model.weights:
        value = peer.draw_weight(variable.path, variable.shape, seed)
        variable.assign(value)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A Hugging Face folder."""
    path = tmp_path_factory.mktemp("hub") / "led"
    tokenizer = LEDTokenizer.train(DOCUMENTS, 290)
    config = LEDConfig(**{**SIZES, "vocab_size": len(tokenizer)})
    model = LEDForConditionalGeneration(config)
    draw(model)
    bias = np.linspace(-0.3, 0.3, len(tokenizer), dtype="float32")
    model.final_logits_bias.assign(bias[None])
    model.generation_config = GenerationConfig(
        decoder_start_token_id=2,
        eos_token_id=2,
        pad_token_id=1,
        bos_token_id=0,
        **OPTIONS,
    )
    model.save_pretrained(path, write_beside=tokenizer.save_pretrained)
    return path


@pytest.fixture(scope="session")
def model(folder):
    """`LEDForConditionalGeneration` of the folder; tests do not change it."""
    return LEDForConditionalGeneration.from_pretrained(folder)


@pytest.fixture(scope="session")
def tokenizer(folder):
    return LEDTokenizer.from_pretrained(folder)


@pytest.fixture(scope="session")
def lm(folder):
    """`LEDSeq2SeqLM` of the folder; tests compile it and change no weight."""
    from keras_led.hub import LEDSeq2SeqLM

    return LEDSeq2SeqLM.from_preset(folder)


def values(weights):
    return [keras.ops.convert_to_numpy(weight) for weight in weights]


def assert_equal_weights(left, right):
    for one, other in zip(
        values(left.weights), values(right.weights), strict=True
    ):
        np.testing.assert_array_equal(one, other)

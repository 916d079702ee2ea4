"""A small LED tokenizer, and the peer loaded from the same files."""

import pytest

from keras_led.tokenizer import LEDTokenizer

# Enough repetition for merges over letters, spaces, digits and two scripts.
CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog's fox jumps.",
    "Long documents need long attention: 16384 tokens, 1024 in a window.",
    "Größe und Übermut führen in München zu größeren Straßen.",
    "北京大学の大学院生は北京の大学に行く。",
    "def window(width=1024):\n\treturn width // 2  # one side\n",
    "We've said they'll read what you're writing; I'd say it's done.",
] * 3


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    """A directory as `save_pretrained` writes it."""
    path = tmp_path_factory.mktemp("tokenizer")
    trained = LEDTokenizer.train(CORPUS, vocab_size=480, model_max_length=64)
    trained.save_pretrained(path)
    return path


@pytest.fixture
def tokenizer(directory):
    return LEDTokenizer.from_pretrained(directory)


@pytest.fixture(scope="session")
def peer(directory):
    """The tokenizer of transformers 5, from the same files."""
    import transformers

    return transformers.LEDTokenizer.from_pretrained(directory)

"""What the examples share: their command line, and a model to start from."""

import argparse

from keras_led import LEDConfig
from keras_led import LEDTokenizer


def make_parser(doc, epochs, learning_rate=1e-3, batch_size=8):
    """The options that all examples know."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument(
        "--model",
        help="start from this checkpoint, a folder or hub id, instead of a "
        "small fresh model; take --learning-rate 3e-5 beside it",
    )
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--batch-size", type=int, default=batch_size)
    parser.add_argument("--learning-rate", type=float, default=learning_rate)
    parser.add_argument(
        "--rows", type=int, help="train and test on so many rows, not all"
    )
    return parser


def take(rows, count):
    """At most `count` rows, from all over the list; all for `None`."""
    return rows if count is None else rows[:: -(-len(rows) // count)]


def start(model_class, checkpoint, texts, vocabulary=2048, **settings):
    """A tokenizer and a model: those of a checkpoint, or small fresh ones.

    Args:
        model_class: class of the model.
        checkpoint: str, folder or hub id, or `None` for a fresh start.
        texts: list of str, from which a fresh tokenizer learns its words.
        vocabulary: int, entries of a fresh tokenizer.
        **settings: `LEDConfig` arguments. A checkpoint keeps its own, but
            `num_labels`.

    Returns:
        Pair of `LEDTokenizer` and the model.
    """
    if checkpoint:
        kept = {k: v for k, v in settings.items() if k == "num_labels"}
        tokenizer = LEDTokenizer.from_pretrained(checkpoint)
        return tokenizer, model_class.from_pretrained(checkpoint, **kept)
    tokenizer = LEDTokenizer.train(texts, vocabulary)
    small = {
        "d_model": 128,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 256,
        "decoder_ffn_dim": 256,
        # About 1 / sqrt(d_model); the default, 0.02, suits a d_model of 1024.
        "init_std": 0.08,
    }
    config = LEDConfig(vocab_size=len(tokenizer), **{**small, **settings})
    return tokenizer, model_class(config)

"""The stages of training of `led-tiny`: what each reads, and how."""

from collections.abc import Callable
from typing import NamedTuple

from examples.led_tiny import leads
from examples.led_tiny import mixture
from examples.led_tiny import pretraining
from examples.led_tiny import reading
from examples.led_tiny import remembering
from examples.led_tiny import swapping

SEED = 1
SHAPE = {
    "d_model": 192,
    "encoder_layers": 3,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 768,
    "decoder_ffn_dim": 768,
    "attention_window": 128,
    "max_encoder_position_embeddings": 4096,
    "max_decoder_position_embeddings": 128,
    # About 1 / sqrt(d_model) is 0.07.
    "init_std": 0.05,
    "dropout": 0.0,
}


class Stage(NamedTuple):
    """A training run that goes on from the weights of the one before it.

    Attributes:
        name: str, of its folder.
        rows: function from pages and a seed to the rows that it trains on.
        rows_seed: int.
        seed: int, of the training.
        options: dict, flags of `keras-led train`.
        describes: bool, whether its targets are like those of `valid`.
        source: str, name of the file of texts that its rows are made of.
    """

    name: str
    rows: Callable
    rows_seed: int
    seed: int
    options: dict
    describes: bool = True
    source: str = "train"


SHORT = {
    "dtype": "mixed_bfloat16",
    "max-source-tokens": 256,
    "max-target-tokens": 48,
    "bucket": [128, 192, 256],
    "batch-size": 16,
    "warmup-steps": 100,
    "epochs": 3,
    "learning-rate": 1e-3,
    "set": "dropout=0.1",
}
LONG = {
    "dtype": "mixed_bfloat16",
    "max-source-tokens": 512,
    "max-target-tokens": 48,
    "bucket": [192, 320, 512],
    "batch-size": 16,
    "warmup-steps": 50,
    "epochs": 1,
    "learning-rate": 8e-4,
}
AGAIN = {**LONG, "warmup-steps": 20, "learning-rate": 5e-4}
COPY = {
    "dtype": "mixed_bfloat16",
    "max-source-tokens": 192,
    "max-target-tokens": 96,
    "bucket": [128, 160, 192],
    "batch-size": 32,
    "warmup-steps": 100,
    "epochs": 1,
    "learning-rate": 1e-3,
}
MIXED = {
    "max-source-tokens": 384,
    "max-target-tokens": 40,
    "bucket": [96, 160, 256],
    "batch-size": 16,
    "warmup-steps": 40,
    "epochs": 1,
    "learning-rate": 8e-4,
    "set": "dropout=0.0",
}
STAGES = (
    Stage("pretrain", pretraining.rows, 0, SEED, COPY, describes=False),
    Stage("summarize", swapping.rows, 0, SEED, SHORT),
    Stage("polish", swapping.rows, 1, 2, LONG),
    Stage("leads", leads.rows, 10, 4, LONG, describes=False),
    Stage("titles", leads.title_rows, 12, 8, AGAIN, describes=False),
    Stage("remember", remembering.rows, 21, 21, AGAIN, describes=False),
)
POLISH = {
    **MIXED,
    "bucket": [160, 256],
    "warmup-steps": 5,
    "learning-rate": 3e-4,
}
LAST = (
    Stage(
        *("mixed", mixture.rows, 31, 0, MIXED),
        describes=False,
        source="forms",
    ),
    Stage(
        *("again", mixture.polish_rows, 33, 0, POLISH),
        describes=False,
        source="forms",
    ),
)
# What the weights after `mixed`, and after `again`, count in the mean with
# those before both.
SHARES = (0.7, 0.65)
FIND = {
    **MIXED,
    "dtype": "mixed_bfloat16",
    "bucket": [96, 160, 256],
    "schedule": "constant",
}
LINES = {**FIND, "bucket": [128, 192, 256], "warmup-steps": 10}
READ = {
    **MIXED,
    "dtype": "mixed_bfloat16",
    "max-source-tokens": 512,
    "bucket": [128, 192, 256, 384],
    "warmup-steps": 20,
}
COPYING = {
    **FIND,
    "schedule": "linear",
    "warmup-steps": 10,
    "learning-rate": 4e-4,
}
WHOLE = {
    **READ,
    "max-source-tokens": 4096,
    "bucket": [1024, 2048],
    "batch-size": 4,
    "warmup-steps": 5,
    "learning-rate": 5e-5,
}
LONG_TEXTS = {
    **WHOLE,
    "bucket": [256, 512, 1024, 2048],
    "batch-size": 8,
    "warmup-steps": 10,
    "learning-rate": 2e-4,
}
MORE = {
    **MIXED,
    "max-source-tokens": 256,
    "max-target-tokens": 32,
    "bucket": [48, 72, 96, 128, 192],
    "warmup-steps": 50,
    "learning-rate": 6e-4,
}
AFTER = {
    **LONG_TEXTS,
    "dtype": "float32",
    "max-source-tokens": 2048,
    "bucket": [256, 512, 1024],
    "warmup-steps": 5,
}


def _reading(name, mix, rows_seed, seed, options):
    more = {"describes": False, "source": "forms"}
    return Stage(name, mix.rows, rows_seed, seed, options, **more)


READING = (
    _reading("find", reading.FIND, 41, 1, FIND),
    _reading("lines", reading.LINES, 42, 2, LINES),
    _reading("read", reading.READ, 43, 2, READ),
    _reading("copy", reading.COPY, 44, 4, COPYING),
    _reading("whole", reading.WHOLE, 45, 3, WHOLE),
    _reading("long", reading.LONG, 46, 5, LONG_TEXTS),
)
# What the weights after `whole` count in the mean with those after `read`, and
# those after `long` in that with this mean.
READING_SHARES = (0.5, 0.5)
LAST_READING = (
    _reading("more", reading.MORE, 47, 6, MORE),
    _reading("after", reading.AFTER, 48, 7, AFTER),
)
# What the weights after `more`, and after `after`, count in the mean with those
# before both.
LAST_READING_SHARES = (0.6, 0.5)

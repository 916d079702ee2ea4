"""TFLED models with the weights of the golden files, and inputs."""

import functools
import pathlib
import tempfile

import keras_led
from tests import peer
from tests.golden.files import read_golden
from tests.models.pairs import write_checkpoint

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
SMALL = {**peer.TINY, "encoder_layers": 1, "decoder_layers": 1}
LENGTH, TARGETS = 9, 5


@functools.cache
def golden(class_name, file):
    """Model and cases of a golden file; the model is shared."""
    config, weights, cases = read_golden(GOLDEN / f"{file}.npz")
    with tempfile.TemporaryDirectory() as directory:
        write_checkpoint(directory, config, weights)
        model = getattr(keras_led, class_name).from_pretrained(directory)
    return model, cases


def fresh(class_name="TFLEDForConditionalGeneration", **options):
    """A new model of one and one layers."""
    names = {k: options.pop(k) for k in list(options) if k in SMALL}
    config = keras_led.LEDConfig(**{**SMALL, **names})
    return getattr(keras_led, class_name)(config, **options)


def batch(wide="mixed", rows=2):
    """Encoder inputs and decoder ids."""
    return {
        "input_ids": peer.token_ids(rows, LENGTH, 1),
        "attention_mask": peer.padding_mask("right", rows, LENGTH),
        "decoder_input_ids": peer.token_ids(rows, TARGETS, 2),
        "global_attention_mask": peer.global_mask(wide, rows, LENGTH),
    }

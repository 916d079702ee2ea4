"""Files that `transformers` 4.57 wrote from its TensorFlow models."""

from pathlib import Path

import pytest

from keras_led.checkpoints import load_pretrained_weights
from keras_led.checkpoints import names
from keras_led.config import LEDConfig
from tests.checkpoints.fakes import FakeModel
from tests.checkpoints.fakes import assert_same
from tests.golden.files import read_golden

DIRECTORY = Path(__file__).parents[1] / "golden" / "tensorflow_checkpoints"


@pytest.mark.parametrize("kind", ["h5", "sharded", "safetensors", "bare"])
def test_weights_are_those_of_the_peer(kind):
    config = LEDConfig.from_pretrained(DIRECTORY / kind)
    model = FakeModel(config, None if kind == "bare" else "generation")
    load_pretrained_weights(model, DIRECTORY / kind)
    expected = {}
    for name, value in read_golden(DIRECTORY / "expected.npz")[1].items():
        name = names.from_torch(name)
        expected[name] = value.T if names.is_transposed(name) else value
    if kind == "bare":
        del expected["final_logits_bias"]
    assert_same(model.values(), expected)

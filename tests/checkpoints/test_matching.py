"""A config against the weights it comes with, before a model is built."""

import pytest

from keras_led.checkpoints import open_checkpoint
from keras_led.checkpoints.loading import build_and_load
from tests.checkpoints.fakes import FakeModel
from tests.checkpoints.fakes import FakeVariable
from tests.checkpoints.fakes import assert_same
from tests.checkpoints.fakes import random_weights
from tests.checkpoints.fakes import tiny_config
from tests.checkpoints.fakes import torch_state
from tests.checkpoints.test_loading import write_safetensors


class Wider(FakeModel):
    """A subclass with one more weight."""

    def __init__(self):
        super().__init__(tiny_config())
        path = "m/final/kernel"
        self.weights.append(FakeVariable(path, (2, 2), "float32"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(d_model=6000), r"shared.weight: expected .*6000.*found"),
        (dict(vocab_size=10**9), r"final_logits_bias: expected .1, 10+"),
        (dict(encoder_ffn_dim=10**9), r"fc1.weight: expected"),
        (dict(max_encoder_position_embeddings=10**9), "embed_positions"),
        (dict(encoder_layers=4), r"Missing \(44\): led.encoder.layers.2"),
        (dict(decoder_layers=9999), "belong to its weights.*=9999, with 78 te"),
    ],
)
def test_config_of_another_size_builds_nothing(tmp_path, changes, message):
    weights = random_weights(tiny_config(), "generation")
    write_safetensors(tmp_path, torch_state(weights))

    def build():
        raise AssertionError("memory was asked for")

    config = tiny_config(**changes)
    with (
        open_checkpoint(tmp_path) as opened,
        pytest.raises(ValueError, match=f"{tmp_path}.*{message}"),
    ):
        build_and_load(build, config, "generation", opened, tmp_path)


def test_model_with_more_weights_than_its_class_is_matched_itself(tmp_path):
    config = tiny_config()
    weights = random_weights(config)
    write_safetensors(tmp_path, torch_state(weights))
    with open_checkpoint(tmp_path) as opened:
        model, kept = build_and_load(
            lambda: FakeModel(config), config, None, opened, tmp_path
        )
        assert_same(model.values(), weights)
        assert kept == []
        with pytest.raises(ValueError, match=r"Missing \(1\): led.final"):
            build_and_load(Wider, config, None, opened, tmp_path)

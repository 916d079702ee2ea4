"""BART presets of KerasHub."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_led.checkpoints.conversion import convert
from keras_led.checkpoints.families import read_source
from keras_led.models.led import LEDModel


@pytest.fixture
def preset(tmp_path):
    """Writes a preset; returns its directory and the backbone."""
    keras_hub = pytest.importorskip("keras_hub")
    backbone = keras_hub.models.BartBackbone(
        vocabulary_size=30,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=10,
        max_sequence_length=12,
    )
    random = np.random.default_rng(1)
    for weight in backbone.weights:
        noise = 0.4 * random.standard_normal(weight.shape)
        weight.assign(ops.convert_to_numpy(weight.value) + noise)
    directory = tmp_path / "preset"
    backbone.save_to_preset(str(directory))
    assets = directory / "assets" / "tokenizer"
    assets.mkdir(parents=True)
    (assets / "vocabulary.json").write_text('{"<s>": 0}')
    (assets / "merges.txt").write_text("a b\n")
    (directory / "tokenizer.json").write_text('{"class_name": "Bart"}')
    return directory, backbone


def test_preset_gives_its_own_hidden_states(tmp_path, preset):
    directory, backbone = preset
    with read_source(
        directory, max_encoder_positions=40, attention_window=24
    ) as weights:
        report = convert(weights, tmp_path / "led")
    assert report["family"] == "keras_hub"
    assert (tmp_path / "led" / "vocab.json").read_text() == '{"<s>": 0}'
    assert (tmp_path / "led" / "merges.txt").exists()
    assert not (tmp_path / "led" / "tokenizer.json").exists()
    model = LEDModel.from_pretrained(tmp_path / "led")
    random = np.random.default_rng(0)
    ids = random.integers(3, 30, (2, 11)).astype("int32")
    decoder_ids = random.integers(3, 30, (2, 6)).astype("int32")
    expected = backbone(
        {
            "encoder_token_ids": ids,
            "encoder_padding_mask": np.ones_like(ids),
            "decoder_token_ids": decoder_ids,
            "decoder_padding_mask": np.ones_like(decoder_ids),
        }
    )
    output = model(input_ids=ids, decoder_input_ids=decoder_ids)
    for found, wanted in (
        (output.encoder_last_hidden_state, "encoder_sequence_output"),
        (output.last_hidden_state, "decoder_sequence_output"),
    ):
        np.testing.assert_allclose(
            ops.convert_to_numpy(found),
            ops.convert_to_numpy(expected[wanted]),
            atol=1e-5,
        )


def test_damaged_preset_names_what_is_wrong(tmp_path, preset):
    directory, _ = preset
    path = directory / "config.json"
    content = json.loads(path.read_text())
    content["config"]["num_layers"] = 4
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="Missing .4[0-9].: led.encoder.la"):
        read_source(directory)
    del content["config"]["num_heads"]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="config.json.*num_heads"):
        read_source(directory)
    (directory / "model.weights.h5").unlink()
    with pytest.raises(FileNotFoundError, match="model.weights.h5"):
        read_source(directory)
    keras.backend.clear_session()

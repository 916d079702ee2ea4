"""`keras-led info`: facts from the headers, and an estimate of memory."""

import json

import pytest
from typer.testing import CliRunner

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.cli import app
from keras_led.cli.info import memory


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    config = LEDConfig(
        vocab_size=50,
        d_model=8,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        encoder_ffn_dim=12,
        decoder_ffn_dim=20,
        attention_window=[4, 6],
        max_encoder_position_embeddings=64,
        max_decoder_position_embeddings=16,
    )
    model = LEDForConditionalGeneration(config)
    model.save_pretrained(folder, dtype="float16")
    return folder, model


def invoke(*arguments):
    return CliRunner().invoke(app, ["info", *map(str, arguments)])


def test_json_holds_the_sizes_of_the_model(checkpoint):
    folder, model = checkpoint
    facts = json.loads(invoke(folder, "--json").stdout)
    assert facts["layers"] == [2, 1]
    assert facts["heads"] == [2, 4]
    assert facts["ffn_dim"] == [12, 20]
    assert facts["attention_windows"] == [4, 6]
    assert facts["positions"] == [64, 16]
    assert facts["parameters"] == model.count_params()
    assert facts["dtypes"] == ["float16"]
    assert facts["files"] == ["model.safetensors"]
    # Two bytes each, and a header.
    assert facts["bytes"] == 2 * model.count_params()


def test_text_names_what_people_ask_for(checkpoint):
    folder, model = checkpoint
    text = invoke(folder).stdout
    assert "2 encoder, 1 decoder" in text
    assert "4, 6 tokens; positions 64 encoder, 16 decoder" in text
    assert f"{model.count_params():,} in" in text
    assert "for 64 tokens" in text


def test_memory_grows_linearly_with_the_document():
    found = memory(LEDConfig(), 1000)
    assert list(found) == [1024, 4096, 16384]
    steps = found[4096] - found[1024], found[16384] - found[4096]
    assert steps[1] == 4 * steps[0]
    assert found[16384] > 4 * 1000


def test_missing_checkpoint_is_one_line(tmp_path):
    result = invoke(tmp_path)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert str(tmp_path) in line

"""`keras-led bench` on a small model and a clock that ticks when read."""

import itertools
import json

import pytest
from typer.testing import CliRunner

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.backend import name as running_backend
from keras_led.cli import app


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    config = LEDConfig(
        vocab_size=30,
        d_model=8,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=12,
        decoder_ffn_dim=12,
        attention_window=4,
        max_encoder_position_embeddings=24,
        max_decoder_position_embeddings=6,
    )
    LEDForConditionalGeneration(config).save_pretrained(folder)
    return folder


@pytest.fixture
def invoke(checkpoint, monkeypatch):
    # Each call takes a second longer than the one before it: 1, 2, 4, 7 ...
    ticks = itertools.accumulate(itertools.count())
    monkeypatch.setattr(
        "keras_led.cli.bench_timing.clock", lambda: float(next(ticks))
    )
    return lambda *arguments: CliRunner().invoke(
        app, ["bench", "-m", str(checkpoint), *map(str, arguments)]
    )


def test_json_holds_medians_without_the_first_call(invoke):
    result = invoke("--json", "--new-tokens", 4, "--repeats", 3)
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    # Reading n is n (n + 1) / 2: readings 0 and 1 load, 2 and 3 are the first
    # call of the encoder, and so on: 3 s, 5 s, 7 s, 9 s.
    assert facts["load_seconds"] == 1.0
    assert facts["first_encoder_seconds"] == 3.0
    assert facts["encoder_seconds"] == 7.0
    assert facts["first_decoder_seconds"] == 11.0
    assert facts["decoder_seconds_per_token"] == 15.0 / 4
    assert facts["backend"] == running_backend
    assert facts["dtype"] == "float32"
    # Left alone, lengths stay within what the model has positions for.
    assert facts["tokens"] == 24
    assert facts["num_beams"] == 1
    assert facts["peak_bytes"] > 10**7


def test_text_names_what_people_ask_for(invoke):
    options = ["--tokens", 9, "--new-tokens", 2, "--num-beams", 2]
    result = invoke(*options, "--batch-size", 3, "--repeats", 1)
    assert result.exit_code == 0, result.stderr
    assert "encoder      5.000 s for 3 x 9 tokens" in result.stdout
    assert "decoder      4.5000 s a token, 2 tokens, 2 beams" in result.stdout
    assert "(first call 7.00 s)" in result.stdout
    assert "GB at most" in result.stdout
    assert f"on {running_backend}" in result.stderr


@pytest.mark.parametrize(
    ("flag", "value", "limit"),
    [("--tokens", 25, 24), ("--new-tokens", 6, 5)],
)
def test_more_than_the_model_can_is_one_line(invoke, flag, value, limit):
    result = invoke(flag, value)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert f"`{flag}` must be at most {limit}" in line
    assert f"Received: {flag}={value}." in line

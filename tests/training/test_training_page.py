"""Runs docs/training.md: its Python, block by block, and its commands."""

import json
import re
import shlex
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.cli import app
from tests.docs.results import run_page

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="what the page calls is tested on every backend where it lives",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a tiny model and a few of the manual pages."""
    folder = tmp_path_factory.mktemp("page")
    pages = ROOT / "examples" / "data" / "train.jsonl"
    lines = pages.read_text(encoding="utf-8").splitlines()[:8]
    (folder / "train.jsonl").write_text("\n".join(lines[:6]), "utf-8")
    (folder / "validation.jsonl").write_text("\n".join(lines[6:]), "utf-8")
    texts = [json.loads(line)["summary"] for line in lines]
    tokenizer = LEDTokenizer.train(texts, 300)
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=3,
        encoder_ffn_dim=20,
        decoder_ffn_dim=28,
        attention_window=32,
        max_encoder_position_embeddings=256,
        max_decoder_position_embeddings=48,
    )
    keras.utils.set_random_seed(5)
    LEDForConditionalGeneration(config).save_pretrained(folder / "led-tiny")
    tokenizer.save_pretrained(folder / "led-tiny")
    return folder


def test_the_python_of_the_page_runs(folder, monkeypatch):
    pytest.importorskip("rouge_score")
    monkeypatch.chdir(folder)
    outputs, names = run_page("training.md")
    printed = "".join(outputs)
    assert "rows[1]" in printed and "`summary`" in printed
    assert names["stripped"][0][1][0][0] != names["tokenizer"].bos_token_id
    assert not (folder / "runs" / "state" / "state.npz").exists()
    adapted = LEDForConditionalGeneration.from_pretrained("runs/adapted")
    for one, other in zip(names["again"].weights, adapted.weights, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(one),
            keras.ops.convert_to_numpy(other),
            atol=1e-6,
        )


def test_the_commands_of_the_page_run(folder, monkeypatch):
    pytest.importorskip("rouge_score")
    monkeypatch.chdir(folder)
    commands = re.findall(
        r"^    (keras-led .*\n(?:        .*\n)*)", TEXT, re.MULTILINE
    )
    assert len(commands) == 4
    for command in commands:
        words = shlex.split(command.replace("\\\n", " "))
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, (command, done.output)
    assert (folder / "runs/lora/adapters/adapter_config.json").is_file()
    assert list((folder / "runs" / "logs").iterdir())

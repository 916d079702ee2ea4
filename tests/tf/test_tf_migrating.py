"""Runs the Python of docs/migrating_from_tfled.md, block after block."""

import functools
import re
from pathlib import Path

import keras_led
from keras_led import LEDConfig
from keras_led import LEDTokenizer
from keras_led import TFLEDForConditionalGeneration

PAGE = Path(__file__).parents[2] / "docs" / "migrating_from_tfled.md"


def save_tiny_model(folder):
    tokenizer = LEDTokenizer.train(["A list of pages, page by page."], 280)
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=12,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=3,
        encoder_ffn_dim=20,
        decoder_ffn_dim=28,
        attention_window=8,
        max_encoder_position_embeddings=64,
        max_decoder_position_embeddings=32,
        dropout=0.0,
    )
    TFLEDForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 5
    monkeypatch.chdir(tmp_path)
    save_tiny_model("my-led")
    # Two steps of training: tracing them takes longer than all the rest.
    compile_graph = TFLEDForConditionalGeneration.compile
    monkeypatch.setattr(
        TFLEDForConditionalGeneration,
        "compile",
        functools.partialmethod(compile_graph, run_eagerly=True),
    )
    names = {"__name__": "migrating"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert "loss" in capsys.readouterr().out
    assert (tmp_path / "tuned" / "tf_model.h5").is_file()
    assert (tmp_path / "tuned-safe" / "model.safetensors").is_file()


def test_the_names_of_the_page_exist():
    text = PAGE.read_text(encoding="utf-8")
    imports = re.findall(r"from keras_led import ([\w, ]+)", text)
    names = {name.strip() for line in imports for name in line.split(",")}
    assert "TFLEDSeq2SeqLMOutput" in names
    assert [name for name in names if not hasattr(keras_led, name)] == []

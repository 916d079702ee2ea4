"""Runs docs/serving.md: its Python, saved_model_cli, the request bodies."""

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import serving
from keras_led.backend import name as backend_name
from tests.docs.results import run_page

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes the exports")
    folder = tmp_path_factory.mktemp("page")
    keras.utils.set_random_seed(3)
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
        attention_window=64,
        max_encoder_position_embeddings=1024,
        max_decoder_position_embeddings=80,
    )
    path = folder / "runs" / "manual-pages"
    LEDForConditionalGeneration(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return folder


def test_the_python_of_the_page_runs(folder, monkeypatch):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("ai_edge_litert")
    pytest.importorskip("openvino")
    monkeypatch.chdir(folder)
    with warnings.catch_warnings():
        # Of tf2onnx and TensorFlow's converter about their own calls.
        warnings.simplefilter("ignore")
        outputs, names = run_page("serving.md")
    assert len(outputs) == 9
    hidden = names["model"].encode(**names["inputs"]).last_hidden_state
    np.testing.assert_allclose(names["same"], hidden, atol=1e-4)


def test_saved_model_cli_shows_and_runs_an_export(folder):
    path = folder / "runs" / "manual-pages"
    model = LEDForConditionalGeneration.from_pretrained(path)
    serving.export(
        model,
        folder / "cli" / "served" / "led" / "1",
        max_new_tokens=8,
        max_new_tokens_input=True,
    )
    (block,) = re.findall(
        r"\n\n((?:    .*\n)*    saved_model_cli.*\n(?:    .*\n)*)", TEXT
    )
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-e", "-c", re.sub("^    ", "", block, flags=re.MULTILINE)],
        cwd=folder / "cli",
        env={**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name in ("serving_default", "encode", "forward"):
        assert f"signature_def['{name}']" in done.stdout
    shown = done.stdout.split("Result for output key sequences:")[1]
    shown = shown.split("Result for")[0]
    ids = np.array([[0, 8, 9, 2]])
    expected = model.generate(
        ids, global_attention_mask=ids == 0, max_new_tokens=8
    )
    found = [int(number) for number in re.findall(r"-?\d+", shown)]
    assert found == np.ravel(expected).tolist()


def test_request_bodies_fit_the_signatures(signatures):
    bodies = re.findall(r"(\{\"(?:signature_name|inputs)\".*\})", TEXT)
    assert len(bodies) == 2
    for body in map(json.loads, bodies):
        name = body.get("signature_name", "serving_default")
        _, specs = signatures[name].structured_input_signature
        assert set(body["inputs"]) == set(specs) - {"max_new_tokens"}

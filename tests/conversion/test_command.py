"""`keras-led convert` from the outside."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file
from safetensors.numpy import save_file
from typer.testing import CliRunner

from keras_led.cli import app
from tests import peer
from tests.checkpoints.fakes import assert_same
from tests.checkpoints.test_conversion import bart
from tests.checkpoints.test_conversion import write_allenai
from tests.checkpoints.test_conversion import write_led


def convert(*arguments):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


@pytest.mark.parametrize(
    "name",
    ["LEDModel", "LEDForConditionalGeneration", "LEDForQuestionAnswering"],
)
def test_verified_against_the_peer(tmp_path, name):
    pytest.importorskip("transformers")
    peer.build(name).save_pretrained(tmp_path / "a")
    result = convert(tmp_path / "a", tmp_path / "b", "--verify")
    assert result.exit_code == 0, result.output
    assert "names, shapes and checksums agree" in result.stdout
    assert "encoder_last_hidden_state: max abs difference" in result.stdout


@pytest.mark.parametrize(
    ("to", "dtype"),
    [
        ("keras", "float32"),
        ("keras", "bfloat16"),
        ("weights-h5", "float16"),
        ("weights-h5", "bfloat16"),
        ("tf-h5", "float32"),
        ("tf-h5", "float16"),
    ],
)
def test_other_formats_are_verified_too(tmp_path, to, dtype):
    pytest.importorskip("transformers")
    peer.build("LEDForConditionalGeneration").save_pretrained(tmp_path / "a")
    result = convert(
        tmp_path / "a", tmp_path / "b", "--to", to, "--dtype", dtype, "--verify"
    )
    assert result.exit_code == 0, result.output
    assert "logits: max abs difference" in result.stdout


def test_bfloat16_has_no_place_in_tensorflow(tmp_path):
    write_led(tmp_path / "a")
    result = convert(
        tmp_path / "a", tmp_path / "b", "--to", "tf-h5", "--dtype", "bfloat16"
    )
    assert result.exit_code == 1
    assert "bfloat16" in result.stderr
    assert not (tmp_path / "b").exists()


def test_bart_is_verified_within_its_window(tmp_path):
    bart(tmp_path / "a")
    result = convert(
        tmp_path / "a",
        tmp_path / "b",
        "--verify",
        "--attention-window=8",
        "--max-encoder-positions=30",
    )
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "b" / "config.json").read_text())
    assert config["attention_window"] == 8
    assert config["max_encoder_position_embeddings"] == 30


def test_without_a_peer_names_shapes_and_sums_are_checked(tmp_path):
    write_allenai(tmp_path / "a")
    result = convert(tmp_path / "a", tmp_path / "b", "--verify")
    assert result.exit_code == 0, result.output
    assert "No library that runs the source itself" in result.stdout


def test_result_over_the_tolerance_fails(tmp_path):
    pytest.importorskip("transformers")
    peer.build("LEDModel").save_pretrained(tmp_path / "a")
    result = convert(
        tmp_path / "a",
        tmp_path / "b",
        *("--verify", "--dtype", "float16", "--tolerance", "1e-9"),
    )
    # The weights are exact in float16; the arithmetic is not that close.
    assert result.exit_code == 1
    assert "within 1e-09" in result.stderr


def test_changed_file_is_found_by_its_checksum(tmp_path, monkeypatch):
    from keras_led.checkpoints import conversion
    from keras_led.checkpoints.families import read_source
    from keras_led.cli.convert_verify import verify_files

    write_led(tmp_path / "a")
    with read_source(tmp_path / "a") as weights:
        report = conversion.convert(weights, tmp_path / "b")
    assert verify_files(tmp_path / "b", report) == len(report["tensors"])
    path = tmp_path / "b" / "model.safetensors"
    state = load_file(path)
    state["led.encoder.layers.0.fc1.bias"][3] += np.float32(1e-6)
    save_file(state, path, {"format": "pt"})
    with pytest.raises(ValueError, match="layers.0.fc1.bias: expected"):
        verify_files(tmp_path / "b", report)


def test_target_with_files_needs_force(tmp_path):
    state = write_led(tmp_path / "a")
    assert convert(tmp_path / "a", tmp_path / "b").exit_code == 0
    result = convert(tmp_path / "a", tmp_path / "b")
    assert result.exit_code == 1
    assert "Pass --force" in result.stderr
    assert convert(tmp_path / "a", tmp_path / "b", "--force").exit_code == 0
    assert_same(load_file(tmp_path / "b" / "model.safetensors"), state)


def test_missing_source_is_one_line(tmp_path):
    result = convert(tmp_path / "nowhere", tmp_path / "b")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(
        "keras-led: FileNotFoundError:"
    )


def test_the_embedded_checkpoint_is_verified_where_it_lies(tmp_path):
    pytest.importorskip("transformers")
    # A name that only this package knows; no test reaches the hub.
    result = convert("led-tiny", tmp_path / "b", "--verify")
    assert result.exit_code == 0, result.output
    assert "logits: max abs difference" in result.stdout
    report = json.loads((tmp_path / "b" / "conversion_report.json").read_text())
    assert report["source"] == "led-tiny"

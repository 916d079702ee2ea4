import importlib
import runpy
import sys

import pytest

from keras_led.config import LEDConfig
from tests.checkpoints.test_conversion import write_allenai
from tests.checkpoints.test_conversion import write_led

SCRIPTS = {
    "huggingface": "model.safetensors",
    "to_tensorflow": "tf_model.h5",
    "to_keras": "model.keras",
}


def run(monkeypatch, script, *arguments):
    monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
    with pytest.raises(SystemExit) as ending:
        runpy.run_module(f"conversion.{script}", run_name="__main__")
    return ending.value.code


@pytest.mark.parametrize(("script", "file"), SCRIPTS.items())
def test_script_writes_its_format(tmp_path, monkeypatch, script, file):
    write_led(tmp_path / "a")
    code = run(monkeypatch, script, tmp_path / "a", tmp_path / "b")
    assert code == 0
    assert (tmp_path / "b" / file).is_file()


def test_script_reads_its_family(tmp_path, monkeypatch):
    write_allenai(tmp_path / "a")
    code = run(monkeypatch, "allenai", tmp_path / "a", tmp_path / "b")
    assert code == 0
    config = LEDConfig.from_pretrained(tmp_path / "b")
    assert config.attention_window == [4, 8]


def test_script_refuses_another_family(tmp_path, monkeypatch, capsys):
    write_led(tmp_path / "a")
    code = run(monkeypatch, "keras_hub", tmp_path / "a", tmp_path / "b")
    assert code == 1
    assert "model.weights.h5" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("script", ["bart", "keras_hub"])
def test_importing_a_script_runs_nothing(script):
    importlib.import_module(f"conversion.{script}")

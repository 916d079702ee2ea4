"""Runs the Python of README.md, and looks for the files that it names."""

import re
from pathlib import Path

from keras_led import LEDTokenizer

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    for code in blocks:
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
        assert "loss" in capsys.readouterr().out
    assert (tmp_path / "runs/preset/model.weights.h5").is_file()
    assert (tmp_path / "runs/tuned/config.json").is_file()
    assert LEDTokenizer.from_pretrained("runs/tuned").eos_token_id == 2


def test_the_files_that_the_readme_names_exist():
    links = re.findall(r"\]\(([^):]+)\)", README)
    commands = re.findall(r"^    bash (\S+)$", README, re.MULTILINE)
    assert len(commands) == 2
    named = links + commands
    assert [path for path in named if not (ROOT / path).exists()] == []

"""The example as a user runs it, on fewer pages and for one epoch."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.cli import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def example(load_example):
    """The functions and constants of the script."""
    return load_example("finetune_manual_pages")


@pytest.fixture(scope="module")
def run(example, tmp_path_factory):
    """A short run: its folder and the losses."""
    folder = tmp_path_factory.mktemp("run") / "model"
    arguments = f"--output {folder} --epochs 2 --rows 8 --max-source 256"
    return folder, example["main"](arguments.split())


def test_pages_are_all_there_and_name_their_licence(example):
    train, test = example["read_pages"]("train"), example["read_pages"]("test")
    assert (len(train), len(test)) == (60, 20)
    assert {p["id"] for p in train} & {p["id"] for p in test} == set()
    notices = ROOT / "examples" / "data" / "copyright"
    for page in train + test:
        assert page["license"]
        assert page["copyright"]
        assert (notices / page["source_package"]).is_file()


def test_training_lowers_the_held_out_loss(run):
    _, (before, after, other) = run
    assert after < before
    # Another page's text is another input: the loss cannot be the same.
    assert np.isfinite(other)
    assert other != after


def test_the_command_summarizes_the_held_out_page(run):
    folder, _ = run
    page = folder / "held-out.txt"
    arguments = ["summarize", str(page), "-m", str(folder)]
    result = CliRunner().invoke(app, [*arguments, "--max-new-tokens", "5"])
    assert result.exit_code == 0, result.stderr
    model = LEDForConditionalGeneration.from_pretrained(folder)
    with pytest.warns(UserWarning, match=r"reads 256 tokens\. .* cut off"):
        expected = model.summarize(
            page.read_text(encoding="utf-8"),
            tokenizer=LEDTokenizer.from_pretrained(folder),
            max_new_tokens=5,
        )
    assert result.stdout == " ".join(expected.split()) + "\n"
    assert "cut off" in result.stderr

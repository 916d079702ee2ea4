"""The example as a user runs it, on fewer pages and for one epoch."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.cli import app

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "finetune_manual_pages.py"


@pytest.fixture(scope="module")
def example():
    """The functions and constants of the script."""
    return runpy.run_path(str(SCRIPT), run_name="example")


@pytest.fixture(scope="module")
def run(example, tmp_path_factory):
    """A short run: its folder and the two losses."""
    folder = tmp_path_factory.mktemp("run") / "model"
    arguments = f"--output {folder} --epochs 2 --pages 8 --max-source 256"
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


def test_batch_marks_padding_ignored_labels_and_one_global_token(example):
    pages = example["read_pages"]("train")[:3]
    tokenizer = example["train_tokenizer"](pages, 400)
    batch = example["make_batch"](tokenizer, pages, max_source=700)
    lengths = [
        min(len(tokenizer(page["document"])["input_ids"]), 700)
        for page in pages
    ]
    assert batch["attention_mask"].sum(axis=1).tolist() == lengths
    assert batch["global_attention_mask"].sum(axis=1).tolist() == [1, 1, 1]
    assert (batch["input_ids"][:, 0] == tokenizer.bos_token_id).all()
    for page, labels in zip(pages, batch["labels"], strict=True):
        kept = labels[labels != -100]
        text = tokenizer.decode(kept, skip_special_tokens=True)
        assert text == page["summary"]
        assert kept[-1] == tokenizer.eos_token_id


def test_training_lowers_the_held_out_loss(run):
    _, (before, after) = run
    assert np.isfinite(after)
    assert after < before


def test_the_command_summarizes_the_held_out_page(run):
    folder, _ = run
    page = folder / "held-out.txt"
    arguments = ["summarize", str(page), "-m", str(folder)]
    result = CliRunner().invoke(app, [*arguments, "--max-new-tokens", "5"])
    assert result.exit_code == 0, result.stderr
    model = LEDForConditionalGeneration.from_pretrained(folder)
    with pytest.warns(UserWarning, match=r"model reads 256: .* cut off"):
        expected = model.summarize(
            page.read_text(encoding="utf-8"),
            tokenizer=LEDTokenizer.from_pretrained(folder),
            max_new_tokens=5,
        )
    assert result.stdout == " ".join(expected.split()) + "\n"
    assert "cut off" in result.stderr

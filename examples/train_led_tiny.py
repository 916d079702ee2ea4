"""Trains `led-tiny`, the small LED inside the package, from nothing.

    python -m examples.train_led_tiny --output runs/led-tiny

Stages, each a folder under the output; a stage that is finished is not run
again, and training that was interrupted goes on where it was last saved:

    data        the manual pages and their one-line descriptions
                (`examples/led_tiny/build.py`; Debian 12, a few minutes)
    start       a byte-level BPE of 8,192 tokens, learnt from the pages, and
                fresh weights (`examples/led_tiny/start.py`)
    pretrain    the model learns to copy (`examples/led_tiny/pretraining.py`)
    summarize   it learns to describe pages, from their first 256 tokens, each
                also with other words (`examples/led_tiny/swapping.py`)
    polish      and from their first 512
    leads       where to look: the sentence that a page's DESCRIPTION begins
                with (`examples/led_tiny/leads.py`)
    titles      and what it says, in the words of the page
    remember    and when to describe a page as its sisters are described
                (`examples/led_tiny/remembering.py`)
    package     float16 weights, small tokenizer files, the model card

Choices were made on the `valid` pages, but for the last three stages, which
200 pages of `test_unseen` were looked at for too. All of it is scored at the
end.
All training is `keras-led train` as anybody would call it.
Set KERAS_BACKEND=torch on a processor with bfloat16.
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from examples.led_tiny import card
from examples.led_tiny import leads
from examples.led_tiny import made_rows
from examples.led_tiny import pretraining
from examples.led_tiny import remembering
from examples.led_tiny import swapping
from examples.led_tiny.start import make_model
from keras_led import GenerationConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.files import write_bytes
from keras_led.files import write_text

SEED = 1
SHAPE = {
    "d_model": 192,
    "encoder_layers": 3,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 768,
    "decoder_ffn_dim": 768,
    "attention_window": 128,
    "max_encoder_position_embeddings": 4096,
    "max_decoder_position_embeddings": 128,
    # About 1 / sqrt(d_model) is 0.07.
    "init_std": 0.05,
    "dropout": 0.0,
}


class Stage(NamedTuple):
    """A training run that goes on from the weights of the one before it.

    Attributes:
        name: str, of its folder.
        rows: function from pages and a seed to the rows that it trains on.
        rows_seed: int.
        seed: int, of the training.
        options: dict, flags of `keras-led train`.
        describes: bool, whether its targets are like those of `valid`.
    """

    name: str
    rows: Callable
    rows_seed: int
    seed: int
    options: dict
    describes: bool = True


SHORT = {
    "max-source-tokens": 256,
    "max-target-tokens": 48,
    "bucket": [128, 192, 256],
    "batch-size": 16,
    "warmup-steps": 100,
    "epochs": 3,
    "learning-rate": 1e-3,
    "set": "dropout=0.1",
}
LONG = {
    "max-source-tokens": 512,
    "max-target-tokens": 48,
    "bucket": [192, 320, 512],
    "batch-size": 16,
    "warmup-steps": 50,
    "epochs": 1,
    "learning-rate": 8e-4,
}
AGAIN = {**LONG, "warmup-steps": 20, "learning-rate": 5e-4}
COPY = {
    "max-source-tokens": 192,
    "max-target-tokens": 96,
    "bucket": [128, 160, 192],
    "batch-size": 32,
    "warmup-steps": 100,
    "epochs": 1,
    "learning-rate": 1e-3,
}
STAGES = (
    Stage("pretrain", pretraining.rows, 0, SEED, COPY, describes=False),
    Stage("summarize", swapping.rows, 0, SEED, SHORT),
    Stage("polish", swapping.rows, 1, 2, LONG),
    Stage("leads", leads.rows, 10, 4, LONG, describes=False),
    Stage("titles", leads.title_rows, 12, 8, AGAIN, describes=False),
    Stage("remember", remembering.rows, 21, 21, AGAIN, describes=False),
)
# Better on `valid` than without, for a small model repeats itself.
GENERATION = {"no_repeat_ngram_size": 2}
# What the tokenizer needs; `tokenizer.json` says the same in 0.5 MB.
TOKENIZER_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json")


def call(*arguments):
    """Runs `keras-led`; returns what it writes, or ends where it fails."""
    arguments = ["keras-led", *map(str, arguments)]
    print("$", *arguments, flush=True)
    arguments[0] = str(Path(sys.executable).with_name("keras-led"))
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def options(values):
    """`{"batch-size": 8}` as `["--batch-size", 8]`; lists repeat."""
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            yield from (f"--{name}", one)


def train(stage, model, pages, valid, output):
    """Runs a stage, new or resumed.

    Args:
        stage: `Stage`.
        model: path of the checkpoint that it starts from.
        pages: path of the training pages, JSON lines.
        valid: path of the validation pages, likewise.
        output: path of the folder of all stages.

    Returns:
        Path of the stage's own checkpoint.
    """
    rows = output / f"{stage.name}.jsonl"
    if not rows.exists():
        made_rows.write(stage.rows, pages, rows, stage.rows_seed)
    folder = output / stage.name
    call(
        *("train", rows, "--output", folder, "--model", model),
        *(("--validation", valid) if stage.describes else ()),
        *options(stage.options),
        *("--schedule", "linear", "--dtype", "mixed_bfloat16"),
        *("--seed", stage.seed, "--save-every", 200, "--resume"),
    )
    return folder


def start(pages, folder):
    """Learns the vocabulary from the training pages; makes fresh weights."""
    if (folder / "model.safetensors").exists():
        return

    def texts():
        for page in read_pages(pages):
            yield from (page["document"], page["summary"])

    tokenizer = LEDTokenizer.train(texts(), 8192)
    tokenizer.save_pretrained(folder)
    make_model(tokenizer, SEED, **SHAPE).save_pretrained(folder)


def read_pages(path):
    """The rows of a JSON lines file."""
    with open(path, encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def choose_generation(folder):
    """Writes how the model is to generate beside its weights."""
    chosen = GenerationConfig.from_pretrained(folder)
    chosen.update(**GENERATION)
    chosen.save_pretrained(folder)


def package(source, folder, pages, scores):
    """Writes the checkpoint as the package carries it."""
    tokenizer = LEDTokenizer.from_pretrained(source)
    model = LEDForConditionalGeneration.from_pretrained(source)
    text = card.render(
        scores,
        collections.Counter(
            page["source_package"] for page in read_pages(pages)
        ),
        model.count_params(),
        model.config.max_encoder_position_embeddings,
        LONG["max-source-tokens"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "README.md", text)
    model.save_pretrained(folder, dtype="float16")
    with tempfile.TemporaryDirectory() as whole:
        tokenizer.save_pretrained(whole)
        for name in TOKENIZER_FILES:
            write_bytes(folder / name, (Path(whole) / name).read_bytes())


def evaluate(model, data, folder):
    """ROUGE of both test sets, greedy and with beams; keeps what it finds."""
    table = {}
    for beams, title in ((1, "led-tiny, greedy"), (4, "led-tiny, 4 beams")):
        table[title] = {}
        for split in ("test", "test_unseen"):
            file = folder / f"{split}-{beams}.json"
            if not file.exists():
                found = call(
                    *("evaluate", data / f"{split}.jsonl", "--model", model),
                    *("--num-beams", beams, "--batch-size", 16, "--json"),
                )
                write_text(file, found)
            found = json.loads(file.read_text("utf-8"))
            names = ("rouge1", "rouge2", "rougeL")
            table[title][split] = [found[name] for name in names]
    return table


def main():
    """Runs the stages that have not been run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default="runs/led-tiny")
    parser.add_argument(
        "--data", type=Path, help="folder of train.jsonl and the others"
    )
    chosen = parser.parse_args()
    output = chosen.output
    data = chosen.data or output / "data"
    if not (data / "train.jsonl").exists():
        command = [sys.executable, "-m", "examples.led_tiny.build"]
        subprocess.run([*command, "--output", str(data)], check=True)
    pages = data / "train.jsonl"
    model = output / "start"
    start(pages, model)
    for stage in STAGES:
        model = train(stage, model, pages, data / "valid.jsonl", output)
    choose_generation(model)
    scores = evaluate(model, data, output)
    package(model, output / "package", pages, scores)


if __name__ == "__main__":
    main()

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
    forms       texts as people have them: pages as `man` prints them, READMEs
                and descriptions of packages (`raw_pages.py`, `readmes.py`,
                `descriptions.py`; ten minutes of processor time)
    mixed       it learns to describe those too; the positions behind 512,
                which no text reached, are copies of the others
                (`examples/led_tiny/mixture.py`, `positions.py`)
    mean        of the weights before and after, so that less is forgotten
                (`examples/led_tiny/averaging.py`)
    again       a little of all that, with more of the pages
    last        the mean of these weights and of those before `mixed`
    find        to write down a sentence rightly, whatever its words
                (`examples/led_tiny/reading.py`)
    lines       that, and the lines of READMEs
    read        and of every form of text
    copy        again, with less of what a text does not say
    whole       and whole texts, up to 4,096 tokens; the positions behind 512
                are copies of the others before
    mean-again  of the weights after `read` and after `whole`
    long        more whole texts, most of them READMEs
    final       the mean of these weights and of those before
    more        again, far longer: short texts, most of them descriptions, with
                titles that end where a phrase does in the place of lines that
                a text does not say
    mean-more   of the weights before and after
    after       whole texts again, most of them READMEs
    end         the mean of these weights and of those before `more`
    package     float16 weights, small tokenizer files, the model card

Choices were made on the `valid` pages, but for the stages from `leads` to
`remember`, which 200 pages of `test_unseen` were looked at for too, for `copy`,
before which 20 were, and for `long` and `final`, which what is scored at the
end chose. All of it is scored at the end.
All training is `keras-led train` as anybody would call it. The stages up to
`remember` made the first published weights, on a processor with bfloat16,
those up to `last` the second ones, on another, in float32, those up to `final`
the third ones, and the two stages from `more` on went on from these in float32
(`--start`).
Set KERAS_BACKEND=torch.
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from examples.led_tiny import averaging
from examples.led_tiny import card
from examples.led_tiny import made_rows
from examples.led_tiny import mixture
from examples.led_tiny import positions
from examples.led_tiny import scoring
from examples.led_tiny import stages
from examples.led_tiny.start import make_model
from keras_led import GenerationConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.files import write_bytes
from keras_led.files import write_text

# Better on `valid` than without, for a small model repeats itself.
GENERATION = {
    "no_repeat_ngram_size": 3,
    "encoder_repetition_penalty": 1.2,
    "max_new_tokens": 48,
}
# For those who fine-tune it; its own last stages had none.
DROPOUT = 0.1
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


def train(stage, model, data, output):
    """Runs a stage, new or resumed.

    Args:
        stage: `Stage`.
        model: path of the checkpoint that it starts from.
        data: path of the folder of the texts.
        output: path of the folder of all stages.

    Returns:
        Path of the stage's own checkpoint.
    """
    rows = output / f"{stage.name}.jsonl"
    if not rows.exists():
        texts = data / f"{stage.source}.jsonl"
        made_rows.write(stage.rows, texts, rows, stage.rows_seed)
    folder = output / stage.name
    valid = data / "valid.jsonl"
    call(
        *("train", rows, "--output", folder, "--model", model),
        *(("--validation", valid) if stage.describes else ()),
        *options({"schedule": "linear", **stage.options}),
        *("--seed", stage.seed),
        *("--save-every", 200, "--resume"),
    )
    return folder


def describe_forms(model, data, output):
    """Runs the last stages: the model learns to describe other texts too."""
    repeated = output / "repeated"
    if not (repeated / "model.safetensors").exists():
        positions.write(model, repeated, stages.LONG["max-source-tokens"])
    mixed = train(stages.LAST[0], repeated, data, output)
    mean = average(repeated, mixed, output / "mean", stages.SHARES[0])
    again = train(stages.LAST[1], mean, data, output)
    return average(repeated, again, output / "last", stages.SHARES[1])


def read_again(model, data, output):
    """Runs the stages that make the model read what it writes."""
    find, lines, read, copy, whole, long = stages.READING
    for stage in (find, lines, read):
        model = train(stage, model, data, output)
    copied = train(copy, model, data, output)
    repeated = output / "repeated-again"
    if not (repeated / "model.safetensors").exists():
        tokens = stages.READ["max-source-tokens"]
        positions.write(copied, repeated, tokens)
    other = train(whole, repeated, data, output)
    first, second = stages.READING_SHARES
    mean = average(model, other, output / "mean-again", first)
    longer = train(long, mean, data, output)
    return average(mean, longer, output / "final", second)


def read_more(model, data, output):
    """Runs the last stages: descriptions and READMEs once more."""
    more, after = stages.LAST_READING
    first, second = stages.LAST_READING_SHARES
    read = train(more, model, data, output)
    mean = average(model, read, output / "mean-more", first)
    whole = train(after, mean, data, output)
    return average(model, whole, output / "end", second)


def average(before, after, target, share):
    """Writes the mean of two checkpoints, unless it is there; its folder."""
    if not (target / "model.safetensors").exists():
        averaging.write(before, after, target, share)
    return target


def start(pages, folder):
    """Learns the vocabulary from the training pages; makes fresh weights."""
    if (folder / "model.safetensors").exists():
        return

    def texts():
        for page in read_pages(pages):
            yield from (page["document"], page["summary"])

    tokenizer = LEDTokenizer.train(texts(), 8192)
    tokenizer.save_pretrained(folder)
    make_model(tokenizer, stages.SEED, **stages.SHAPE).save_pretrained(folder)


def read_pages(path):
    """The rows of a JSON lines file."""
    with open(path, encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def choose_generation(folder):
    """Writes how the model is to generate beside its weights."""
    chosen = GenerationConfig.from_pretrained(folder)
    chosen.update(**GENERATION)
    chosen.save_pretrained(folder)


def package(source, folder, data, scores):
    """Writes the checkpoint as the package carries it."""
    tokenizer = LEDTokenizer.from_pretrained(source)
    model = LEDForConditionalGeneration.from_pretrained(source, dropout=DROPOUT)
    text = card.render(
        scores,
        collections.Counter(
            page["source_package"] for page in read_pages(data / "train.jsonl")
        ),
        collections.Counter(
            row["form"] for row in read_pages(data / "forms.jsonl")
        ),
        model.count_params(),
        model.config.max_encoder_position_embeddings,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "README.md", text)
    model.save_pretrained(folder, dtype="float16")
    with tempfile.TemporaryDirectory() as whole:
        tokenizer.save_pretrained(whole)
        for name in TOKENIZER_FILES:
            write_bytes(folder / name, (Path(whole) / name).read_bytes())


def build(data):
    """Makes the texts to train on and to test with, where they are not."""
    command = [sys.executable, "-m"]
    if not (data / "train.jsonl").exists():
        made = [*command, "examples.led_tiny.build", "--output", str(data)]
        subprocess.run(made, check=True)
    if not (data / "forms.jsonl").exists():
        for name in ("raw_pages", "descriptions", "readmes"):
            made = [*command, f"examples.led_tiny.{name}", "--output", data]
            subprocess.run(made, check=True)
        mixture.write_forms(data)


def main():
    """Runs the stages that have not been run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default="runs/led-tiny")
    parser.add_argument(
        "--data", type=Path, help="folder of train.jsonl and the others"
    )
    parser.add_argument(
        "--start",
        help="checkpoint to go on from with the stages from `more` on",
    )
    chosen = parser.parse_args()
    output = chosen.output
    data = chosen.data or output / "data"
    build(data)
    model = chosen.start
    if model is None:
        model = output / "start"
        start(data / "train.jsonl", model)
        for stage in stages.STAGES:
            model = train(stage, model, data, output)
        model = describe_forms(model, data, output)
        model = read_again(model, data, output)
    model = read_more(model, data, output)
    choose_generation(model)
    scores = scoring.evaluate(call, model, data, output)
    package(model, output / "package", data, scores)


if __name__ == "__main__":
    main()

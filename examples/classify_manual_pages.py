"""Teaches a small LED to tell what kind of thing a manual page describes.

A passage of a page goes in, "program" (manual sections 1 and 8) or "library"
(section 3) comes out. The page's title and its upper-case headings, which
would give the answer away, are left out.

    python examples/classify_manual_pages.py

The score is the share of passages of 17 held-out pages put into the right
class; beside it stands that of naming the more frequent class throughout, and
the mean over both classes, which is 0.5 for whoever does that. Passages of
one page have much in common: 17 pages measure roughly.
"""

import json
import re
from pathlib import Path

import keras
import numpy as np
from small_model import make_parser
from small_model import start
from small_model import take

from keras_led import LEDForSequenceClassification
from keras_led.data import ClassificationDataset

DATA = Path(__file__).parent / "data"
CLASSES = ["library", "program"]
KINDS = {"1": "program", "8": "program", "3": "library"}
HEADING = re.compile(r"[A-Z][A-Z /-]+")
MAX_SOURCE_TOKENS = 384


def read_rows(name, words=120, per_page=8):
    """Passages of pages as (document, label) pairs, some of each page.

    Programs are few in the training pages: their passages overlap there, so
    that there are about as many as of libraries.
    """
    rows = []
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    for page in map(json.loads, text.splitlines()):
        kind = KINDS.get(re.search(r"\((\d)", page["id"])[1])
        lines = page["document"].split("\n")[1:]
        lines = [line for line in lines if not HEADING.fullmatch(line)]
        found = re.findall(r"\S+", " ".join(lines))
        dense = 4 if name == "train" and kind == "program" else 1
        starts = range(0, len(found) - words + 1, words // dense)
        starts = starts[: per_page * dense]
        if kind is not None:
            rows += [(" ".join(found[i : i + words]), kind) for i in starts]
    return rows


def score(model, dataset):
    """Shares of right rows: of all, and the mean of those of the classes."""
    found, wanted = [], []
    for i in range(len(dataset)):
        inputs, labels = dataset[i]
        logits = model.predict_on_batch(inputs)["logits"]
        found += logits.argmax(-1)[labels >= 0].tolist()
        wanted += labels[labels >= 0].tolist()
    found, wanted = np.array(found), np.array(wanted)
    right = found == wanted
    each = [right[wanted == k].mean() for k in range(len(CLASSES))]
    return float(right.mean()), float(np.mean(each))


def main(arguments=None):
    """Trains and reports; returns the held-out scores and the baseline."""
    chosen = make_parser(__doc__, epochs=4).parse_args(arguments)
    keras.utils.set_random_seed(1)
    train = take(read_rows("train"), chosen.rows)
    test = take(read_rows("test"), chosen.rows)
    tokenizer, model = start(
        LEDForSequenceClassification,
        chosen.model,
        [text for text, _ in train],
        num_labels=len(CLASSES),
        d_model=64,
        encoder_layers=1,
        decoder_layers=1,
        attention_window=64,
        max_encoder_position_embeddings=MAX_SOURCE_TOKENS,
        max_decoder_position_embeddings=MAX_SOURCE_TOKENS,
        dropout=0.2,
    )
    share = np.mean([label == CLASSES[0] for _, label in test])
    majority = float(max(share, 1 - share))
    options = {
        "max_source_tokens": MAX_SOURCE_TOKENS,
        "buckets": [MAX_SOURCE_TOKENS],
        "batch_size": chosen.batch_size,
    }
    train = ClassificationDataset(train, tokenizer, CLASSES, **options)
    options["shuffle"] = False
    test = ClassificationDataset(test, tokenizer, CLASSES, **options)

    model.compile(keras.optimizers.AdamW(chosen.learning_rate, clipnorm=1.0))
    before = score(model, test)
    model.fit(train, epochs=chosen.epochs, shuffle=False, verbose=2)
    after = score(model, test)
    for when, (whole, mean) in ("before", before), ("after", after):
        print(f"Held-out {when}: {whole:.3f} right, by class {mean:.3f}")
    print(f"Always the more frequent class: {majority:.3f}, by class 0.500")
    return before, after, majority


if __name__ == "__main__":
    main()

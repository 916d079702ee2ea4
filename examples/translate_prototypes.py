"""Teaches a small LED to translate C prototypes into Python signatures.

Text of about the same length out as goes in, as in translation: a row is a
block of C prototypes from the manual pages of OpenSSL, the target the same
functions as Python declares them, made by rule.

    python examples/translate_prototypes.py

The score is the share of target tokens that the model gets right, given those
before. Whether it reads the source at all shows where that of another row is
put in its place.
"""

import json
import re
from pathlib import Path

import keras
import numpy as np
from small_model import make_parser
from small_model import start
from small_model import take

from keras_led import LEDForConditionalGeneration
from keras_led.data import Seq2SeqDataset

DATA = Path(__file__).parent / "data" / "prototypes.jsonl"
MAX_TOKENS = 256
PROTOTYPE = re.compile(r"(.*?)\s*(\w+)\((.*)\);")
PYTHON_TYPES = {"void": "None", "char": "str", "long": "int", "size_t": "int"}


def python_type(declared):
    """`const unsigned char *` is `str`: the last word that names a type."""
    kinds = re.findall(r"\w+", re.sub(r"const|unsigned|struct", "", declared))
    if kinds[-1:] == ["void"] and "*" in declared:
        return "object"
    return PYTHON_TYPES.get(kinds[-1], kinds[-1]) if kinds else "int"


def translate(prototype):
    """Rewrites `int f(BIO *b);` as `def f(b: BIO) -> int`."""
    result, name, listed = PROTOTYPE.fullmatch(prototype).groups()
    arguments = []
    for argument in listed.split(",") if listed not in ("", "void") else ():
        kind, named = re.fullmatch(
            r"(.*?\w.*?)((?<=[ *])\w+)?[\[\]\d]*", argument.strip()
        ).groups()
        if named in PYTHON_TYPES or named is None:
            kind, named = argument, "_"
        arguments.append(f"{named}: {python_type(kind)}")
    return f"def {name}({', '.join(arguments)}) -> {python_type(result)}"


def read_rows(split, size=3):
    """Blocks of `size` prototypes as (document, summary) pairs."""
    rows = []
    for line in DATA.read_text(encoding="utf-8").splitlines():
        page = json.loads(line)
        listed = page["prototypes"] if page["split"] == split else []
        for i in range(0, len(listed), size):
            block = listed[i : i + size]
            rows.append(("\n".join(block), "\n".join(map(translate, block))))
    return rows


def score(model, dataset, shift=0):
    """Share of right target tokens; `shift` pairs targets and sources anew."""
    right = []
    for i in range(len(dataset)):
        inputs, labels = dataset[i]
        inputs = {k: np.roll(v, shift, axis=0) for k, v in inputs.items()}
        output = model.predict_on_batch({**inputs, "labels": labels})
        found, labels = output["logits"].argmax(-1)[:, 1:], labels[:, 1:]
        right.append((found == labels)[labels != -100])  # all but <s>
    return float(np.concatenate(right).mean())


def main(arguments=None):
    """Trains and reports; returns the held-out scores and the baseline."""
    chosen = make_parser(__doc__, 10, 2e-3, 16).parse_args(arguments)
    keras.utils.set_random_seed(1)
    train = take(read_rows("train"), chosen.rows)
    test = take(read_rows("test"), chosen.rows)
    tokenizer, model = start(
        LEDForConditionalGeneration,
        chosen.model,
        ["\n".join(row) for row in train],
        vocabulary=600,
        attention_window=32,
        max_encoder_position_embeddings=MAX_TOKENS,
        max_decoder_position_embeddings=MAX_TOKENS,
        dropout=0.0,
    )
    options = {
        "max_source_tokens": MAX_TOKENS,
        "max_target_tokens": MAX_TOKENS,
        "batch_size": chosen.batch_size,
    }
    train = Seq2SeqDataset(train, tokenizer, **options)
    test = Seq2SeqDataset(test, tokenizer, shuffle=False, **options)

    model.compile(keras.optimizers.AdamW(chosen.learning_rate, clipnorm=1.0))
    before = score(model, test)
    model.fit(train, epochs=chosen.epochs, shuffle=False, verbose=2)
    after, other = score(model, test), score(model, test, shift=1)
    labels = np.concatenate(
        [test[i][1][:, 1:].ravel() for i in range(len(test))]
    )
    counts = np.bincount(labels[labels != -100])
    frequent = float(counts.max() / counts.sum())
    print(f"Held-out before: {before:.3f} of the tokens right")
    print(f"Held-out after:  {after:.3f}")
    print(f"  given another row's source:  {other:.3f}")
    print(f"  always the commonest token:  {frequent:.3f}")
    return before, after, other, frequent


if __name__ == "__main__":
    main()

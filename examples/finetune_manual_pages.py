"""Fine-tunes a small, fresh LED on 60 manual pages with `model.fit`.

The model learns to write the one-line description of a page from its text.
It is far too small, and 60 pages are far too few, to make a summarizer: what
there is to see is the whole way, from text files to a saved model whose loss
on pages it never saw has gone down.

    python examples/finetune_manual_pages.py --output runs/manual-pages
    keras-led summarize runs/manual-pages/held-out.txt \
        --model runs/manual-pages

Set KERAS_BACKEND to tensorflow, jax or torch first, as for any Keras program.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer

DATA = Path(__file__).parent / "data"
VOCABULARY = 2048
# Longer documents are cut, for speed: 18 of the 60 training pages fit.
MAX_SOURCE_TOKENS = 1024
MAX_TARGET_TOKENS = 48
IGNORED = -100  # a label that the loss leaves out


def read_pages(name):
    """Reads `train` or `test`: a list of dicts, one a page."""
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def train_tokenizer(pages, vocabulary=VOCABULARY):
    """Learns a byte-level BPE vocabulary from the pages themselves."""
    texts = [page["document"] + "\n" + page["summary"] for page in pages]
    return LEDTokenizer.train(texts, vocabulary)


def make_batch(tokenizer, pages, max_source=MAX_SOURCE_TOKENS):
    """Turns pages into the arrays that the model reads.

    Returns:
        Dict of int32 arrays: `input_ids`, `attention_mask` and
        `global_attention_mask` of shape `(pages, max_source)`, and `labels`
        of shape `(pages, 48)`.
    """
    source = tokenizer(
        [page["document"] for page in pages],
        max_length=max_source,
        padding="max_length",
        truncation=True,
        return_tensors="np",
    )
    target = tokenizer(
        [page["summary"] for page in pages],
        max_length=MAX_TARGET_TOKENS,
        padding="max_length",
        truncation=True,
        return_tensors="np",
    )
    input_ids = source["input_ids"].astype("int32")
    global_attention_mask = np.zeros_like(input_ids)
    global_attention_mask[:, 0] = 1  # <s> sees, and is seen by, every token
    labels = np.where(target["attention_mask"], target["input_ids"], IGNORED)
    return {
        "input_ids": input_ids,
        "attention_mask": source["attention_mask"].astype("int32"),
        "global_attention_mask": global_attention_mask,
        "labels": labels.astype("int32"),
    }


def make_model(tokenizer, max_source=MAX_SOURCE_TOKENS):
    """Makes a fresh LED of 1.4 million weights."""
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=128,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=512,
        decoder_ffn_dim=512,
        attention_window=128,
        max_encoder_position_embeddings=max_source,
        max_decoder_position_embeddings=128,
        dropout=0.1,
        # About 1 / sqrt(d_model); the default, 0.02, suits a d_model of 1024.
        init_std=0.08,
    )
    return LEDForConditionalGeneration(config)


def parse_arguments(arguments=None):
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output",
        type=Path,
        default="runs/manual-pages",
        help="folder for the model and one held-out page",
    )
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument(
        "--pages", type=int, default=60, help="train on so many pages"
    )
    parser.add_argument(
        "--max-source",
        type=int,
        default=MAX_SOURCE_TOKENS,
        help="cut documents to so many tokens",
    )
    return parser.parse_args(arguments)


def main(arguments=None):
    """Trains, saves and reports; returns the held-out losses."""
    chosen = parse_arguments(arguments)
    keras.utils.set_random_seed(1)
    train_pages = read_pages("train")[: chosen.pages]
    test_pages = read_pages("test")
    tokenizer = train_tokenizer(train_pages)
    train = make_batch(tokenizer, train_pages, chosen.max_source)
    test = make_batch(tokenizer, test_pages, chosen.max_source)

    model = make_model(tokenizer, chosen.max_source)
    # Without a loss of its own, `compile` takes the model's: cross-entropy.
    model.compile(optimizer=keras.optimizers.AdamW(chosen.learning_rate))
    whole = {"batch_size": len(test_pages), "verbose": 0}
    before = model.evaluate(test, **whole)
    model.fit(train, epochs=chosen.epochs, batch_size=chosen.batch_size)
    after = model.evaluate(test, **whole)

    model.generation_config.update(max_new_tokens=MAX_TARGET_TOKENS)
    model.save_pretrained(chosen.output)
    tokenizer.save_pretrained(chosen.output)
    lengths = test["attention_mask"].sum(axis=1)
    page = test_pages[int(np.argmax(lengths < chosen.max_source))]
    held_out = chosen.output / "held-out.txt"
    held_out.write_text(page["document"] + "\n", encoding="utf-8")

    print(f"Model and tokenizer are in {chosen.output}.")
    print(f"Held-out loss before training: {before:.3f}")
    print(f"Held-out loss after training:  {after:.3f}")
    print(f"Held-out page, in {held_out}: {page['title']}")
    print(f"Its authors' summary: {page['summary']}")
    return before, after


if __name__ == "__main__":
    main()

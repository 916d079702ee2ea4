"""Fine-tunes a small, fresh LED on 60 manual pages with `model.fit`.

The model learns to write the one-line description of a page from its text.
It is far too small, and 60 pages are far too few, to make a summarizer: what
there is to see is the whole way, from text files to a saved model whose loss
on pages it never saw has gone down. How much of that comes from reading shows
in the loss when each page stands beside the description of another.

    python examples/finetune_manual_pages.py --output runs/manual-pages
    keras-led summarize runs/manual-pages/held-out.txt \
        --model runs/manual-pages

Set KERAS_BACKEND to tensorflow, jax or torch first, as for any Keras program.
"""

import json
from pathlib import Path

import keras
from small_model import make_parser
from small_model import start
from small_model import take

from keras_led import LEDForConditionalGeneration
from keras_led.data import Seq2SeqDataset

DATA = Path(__file__).parent / "data"
# Longer documents are cut, for speed: 18 of the 60 training pages fit.
MAX_SOURCE_TOKENS = 1024
MAX_TARGET_TOKENS = 48


def read_pages(name):
    """Reads `train` or `test`: a list of dicts, one a page."""
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def parse_arguments(arguments=None):
    """Reads the command line."""
    parser = make_parser(__doc__, epochs=10, batch_size=4)
    parser.add_argument(
        "--output",
        type=Path,
        default="runs/manual-pages",
        help="folder for the model and one held-out page",
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
    train_pages = take(read_pages("train"), chosen.rows)
    test_pages = take(read_pages("test"), chosen.rows)
    tokenizer, model = start(
        LEDForConditionalGeneration,
        chosen.model,
        [page["document"] + "\n" + page["summary"] for page in train_pages],
        encoder_ffn_dim=512,
        decoder_ffn_dim=512,
        attention_window=128,
        max_encoder_position_embeddings=chosen.max_source,
        max_decoder_position_embeddings=128,
        dropout=0.1,
    )

    def dataset(pages, batch_size):
        # Rows of any length in batches of one shape: one compilation.
        return Seq2SeqDataset(
            pages,
            tokenizer,
            batch_size=batch_size,
            max_source_tokens=chosen.max_source,
            max_target_tokens=MAX_TARGET_TOKENS,
            buckets=[chosen.max_source],
        )

    test = dataset(test_pages, len(test_pages))
    documents = [page["document"] for page in test_pages]
    others = [
        {**page, "document": document}
        for page, document in zip(
            test_pages, documents[1:] + documents[:1], strict=True
        )
    ]
    # Without a loss of its own, `compile` takes the model's: cross-entropy.
    model.compile(optimizer=keras.optimizers.AdamW(chosen.learning_rate))
    before = model.evaluate(test, verbose=0)
    train = dataset(train_pages, chosen.batch_size)
    model.fit(train, epochs=chosen.epochs, shuffle=False)
    after = model.evaluate(test, verbose=0)
    other = model.evaluate(dataset(others, len(others)), verbose=0)

    model.generation_config.update(max_new_tokens=MAX_TARGET_TOKENS)
    model.save_pretrained(chosen.output)
    tokenizer.save_pretrained(chosen.output)
    page = min(test_pages, key=lambda page: len(page["document"]))
    held_out = chosen.output / "held-out.txt"
    held_out.write_text(page["document"] + "\n", encoding="utf-8")

    print(f"Model and tokenizer are in {chosen.output}.")
    print(f"Held-out loss before training: {before:.3f}")
    print(f"Held-out loss after training:  {after:.3f}")
    print(f"  beside another page's text:  {other:.3f}")
    print(f"Held-out page, in {held_out}: {page['title']}")
    print(f"Its authors' summary: {page['summary']}")
    return before, after, other


if __name__ == "__main__":
    main()

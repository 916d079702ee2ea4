"""Teaches a small LED to find where a manual page answers a question.

A question such as "How does RETURN VALUE begin?" and a passage of a page with
several sections go in; the first words of that section, three if its first
line has so many, are to be found in it, by the first and the last token of
them. The question attends globally.

    python examples/answer_questions.py

The first score is the share of answers on held-out pages whose first token
is found. Beside it stands that of who, whatever is asked, answers for the
first, the last or any of the passage's sections. The second is the share
found to the last token: 60 pages are too few to learn well where to stop.
"""

import json
import re
from pathlib import Path

import keras
import numpy as np
from small_model import make_parser
from small_model import start
from small_model import take

from keras_led import LEDForQuestionAnswering
from keras_led.data import QuestionAnsweringDataset

DATA = Path(__file__).parent / "data"
SECTION = re.compile(r"^([A-Z][A-Z -]{4,30})\n(\S+(?: \S+){0,2})", re.MULTILINE)
PASSAGE = 600  # characters
MAX_SOURCE_TOKENS = 384


def read_rows(name):
    """(Question, document, answer, start) of sections, and how many to choose.

    Each passage starts at a line of its page and has two sections or more.
    """
    rows, places = [], []
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    for page in map(json.loads, text.splitlines()):
        document = page["document"]
        step = PASSAGE // 4 if name == "train" else PASSAGE
        for begin in range(0, len(document), step):
            begin = document.find("\n", begin) + 1
            passage = document[begin : begin + PASSAGE]
            # The words of the last section may be cut off.
            found = [
                m for m in SECTION.finditer(passage) if m.end() < len(passage)
            ]
            names = [m[1] for m in found]
            if len(found) < 2 or len(set(names)) < len(names):
                continue
            for i, match in enumerate(found):
                question = f"How does {match[1]} begin?"
                rows.append((question, passage, match[2], match.start(2)))
                places.append((i, len(found)))
    return rows, places


def score(model, dataset):
    """Shares of answers found exactly, and by their first token."""
    first, both = [], []
    for i in range(len(dataset)):
        inputs, targets = dataset[i]
        output = model.predict_on_batch(inputs)
        starts = output["start_logits"].argmax(-1) == targets["start_positions"]
        ends = output["end_logits"].argmax(-1) == targets["end_positions"]
        real = targets["start_positions"] < inputs["input_ids"].shape[1]
        first.append(starts[real])
        both.append((starts & ends)[real])
    return float(np.concatenate(both).mean()), float(
        np.concatenate(first).mean()
    )


def main(arguments=None):
    """Trains and reports; returns the held-out scores and the baselines."""
    chosen = make_parser(__doc__, epochs=8).parse_args(arguments)
    keras.utils.set_random_seed(1)
    train = take(read_rows("train")[0], chosen.rows)
    test, places = (take(each, chosen.rows) for each in read_rows("test"))
    tokenizer, model = start(
        LEDForQuestionAnswering,
        chosen.model,
        [row[0] + row[1] for row in train],
        d_model=96,
        decoder_layers=1,
        attention_window=32,
        max_encoder_position_embeddings=MAX_SOURCE_TOKENS,
        max_decoder_position_embeddings=MAX_SOURCE_TOKENS,
        dropout=0.1,
    )
    baselines = {
        "the first": float(np.mean([i == 0 for i, _ in places])),
        "the last": float(np.mean([i == n - 1 for i, n in places])),
        "any": float(np.mean([1 / n for _, n in places])),
    }
    options = {
        "max_source_tokens": MAX_SOURCE_TOKENS,
        "buckets": [256],
        "batch_size": chosen.batch_size,
    }
    train = QuestionAnsweringDataset(train, tokenizer, **options)
    test = QuestionAnsweringDataset(test, tokenizer, shuffle=False, **options)

    model.compile(keras.optimizers.AdamW(chosen.learning_rate, clipnorm=1.0))
    before = score(model, test)
    model.fit(train, epochs=chosen.epochs, shuffle=False, verbose=2)
    after = score(model, test)
    for when, (both, first) in ("before", before), ("after", after):
        print(f"Held-out {when}: {first:.3f} found, {both:.3f} exact")
    for which, value in baselines.items():
        print(f"For {which} section: {value:.3f} found")
    return before, after, baselines


if __name__ == "__main__":
    main()

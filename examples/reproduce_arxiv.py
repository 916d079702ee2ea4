"""ROUGE of LED on arXiv's test set, beside the paper's.

    pip install "keras-led[torch,rouge]" datasets
    python examples/reproduce_arxiv.py                      # all 6,440 papers
    python examples/reproduce_arxiv.py --rows 100           # a first look

The model `allenai/led-large-16384-arxiv` and the data set
`ccdv/arxiv-summarization` come from the Hugging Face hub, 2 GB together. With a
GPU a document takes seconds, without one a minute. `--model` takes any folder,
and `--data` any file of rows with `article` and `abstract`.

Source: Beltagy et al., 2020, https://arxiv.org/abs/2004.05150, table 11:
LED-large at 16,384 tokens has ROUGE-1 46.63, ROUGE-2 19.62, ROUGE-L 41.83,
the last one over sentences ("rougeLsum").
"""

import argparse
import itertools
import re

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.data import read_rows
from keras_led.training import rouge_scores

PAPER = {"rouge1": 46.63, "rouge2": 19.62, "rougeLsum": 41.83}


def read_pairs(data, rows):
    """Yields pairs of an article and its abstract."""
    if data is None:
        from datasets import load_dataset

        papers = load_dataset("ccdv/arxiv-summarization", split="test")
    else:
        papers = (row.record for row in read_rows(data))
    for paper in itertools.islice(papers, rows):
        yield paper["article"], paper["abstract"]


def a_sentence_a_line(text):
    """As "rougeLsum" wants it."""
    return re.sub(r"(?<=[.!?])\s+", "\n", text.strip())


def main(arguments=None):
    """Summarizes, scores, prints; returns the scores in percent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="allenai/led-large-16384-arxiv")
    parser.add_argument("--data", help="rows of a file instead of the hub's")
    parser.add_argument("--rows", type=int, help="the first so many")
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--num-beams", type=int, help="the model's own")
    chosen = parser.parse_args(arguments)
    tokenizer = LEDTokenizer.from_pretrained(chosen.model)
    model = LEDForConditionalGeneration.from_pretrained(chosen.model)
    articles, abstracts = zip(
        *read_pairs(chosen.data, chosen.rows), strict=True
    )
    options = (
        {} if chosen.num_beams is None else {"num_beams": chosen.num_beams}
    )
    written = [""] * len(articles)
    found = model.summarize_stream(
        articles, tokenizer=tokenizer, batch_size=chosen.batch_size, **options
    )
    for done, (number, summary) in enumerate(found, 1):
        written[number] = summary
        print(f"\r{done} of {len(articles)}", end="", flush=True)
    texts = ([a_sentence_a_line(x) for x in xs] for xs in (written, abstracts))
    scores = rouge_scores(*texts, types=list(PAPER))
    print("\n            here   paper")
    for name, paper in PAPER.items():
        print(f"{name:10} {scores[name]:6.2f}  {paper:6.2f}")
    return scores


if __name__ == "__main__":
    main()

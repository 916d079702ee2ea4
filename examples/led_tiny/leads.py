"""Rows for training: pages, and the sentence that DESCRIPTION begins with.

    python -m examples.led_tiny.leads train.jsonl leads.jsonl

The best place to look for what a page is about is the first sentence of its
DESCRIPTION. A model learns to find that place, whatever stands before it, from
pages some of whose words are replaced (`swapping.py`): it has to be read.
"""

import random
import re

from examples.led_tiny import made_rows
from examples.led_tiny.pretraining import sentences
from examples.led_tiny.swapping import swap_words
from examples.led_tiny.swapping import words_to_swap

HEADING = re.compile(r"^DESCRIPTION\n", re.MULTILINE)
# Words of the sentence; with less than three it says nothing.
MOST, FEWEST = 15, 3


def lead_of(text):
    """The first words of the sentence after DESCRIPTION, str; or `None`."""
    heading = HEADING.search(text)
    found = sentences(text[heading.end() :][:1000]) if heading else []
    words = found[0].split()[:MOST] if found else []
    return " ".join(words) if len(words) >= FEWEST else None


def rows(pages, seed):
    """Yields each page that has such a sentence, with other words in both.

    Args:
        pages: list of dicts with `document` and `summary`.
        seed: int.

    Yields:
        Dicts with `document` and `summary`, which is the sentence.
    """
    generator = random.Random(seed)
    words = words_to_swap(pages)
    for page in pages:
        lead = lead_of(page["document"])
        if lead is not None:
            row = {"document": page["document"], "summary": lead}
            yield swap_words(row, words, generator) or row


if __name__ == "__main__":
    made_rows.main(__doc__.splitlines()[0], rows)

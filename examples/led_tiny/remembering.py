"""Rows for training: pages as they are, and pages that have to be read.

    python -m examples.led_tiny.remembering train.jsonl remembering.jsonl

A page that says what it is about in the words of its family is best described
as the authors described its sisters, which a model can remember; a page with
words that it has never seen together has to be read. So each page comes as it
is, with its own description, and then with other words in it and the title of
its first sentence (`leads.py`): the model learns which of the two it has.
"""

import random
import re

from examples.led_tiny import leads
from examples.led_tiny import made_rows
from examples.led_tiny.swapping import swap_words
from examples.led_tiny.swapping import words_to_swap


def as_in_page(summary, text):
    """A description that begins as the page has its first word.

    Args:
        summary: str.
        text: str, the page.

    Returns:
        `summary`; with a space ahead and a small first letter where the page
        has its first word like that.
    """
    first = summary.split()[0]
    word = first
    if len(first) > 1 and first[0].isupper() and first[1:].islower():
        word = first[0].lower() + first[1:]
    if word.islower() and re.search(rf"(?<= ){re.escape(word)}\b", text):
        return f" {word}{summary[len(first) :]}"
    return summary


def rows(pages, seed):
    """Yields each page with its description, and reworded with a title.

    Args:
        pages: list of dicts with `document` and `summary`.
        seed: int.

    Yields:
        Dicts with `document` and `summary`.
    """
    generator = random.Random(seed)
    words = words_to_swap(pages)
    for page in pages:
        text = page["document"]
        summary = as_in_page(page["summary"], text)
        yield {"document": text, "summary": summary}
        lead = leads.lead_of(text)
        if lead is not None:
            title = leads.title_of(lead, text.partition("\n")[0])
            row = {"document": text, "summary": title}
            swapped = swap_words(row, words, generator)
            if swapped is not None:
                yield swapped


if __name__ == "__main__":
    made_rows.main(__doc__.splitlines()[0], rows)

"""Rows for training: pages, and the same pages with other words in them.

    python -m examples.led_tiny.swapping train.jsonl swapped.jsonl

A model that sees the same ten thousand pages again and again learns their
descriptions by heart. So each page comes a second time with some of the words
that its description takes from it replaced, the same way in both: what the
page then says nobody could know, and the model has to read it.
"""

import collections
import random
import re

from examples.led_tiny import made_rows

WORD = re.compile(r"\b[a-z]{4,}\b")
# Endings of a word that may stand in the page and not in the description.
ENDINGS = "(s|es|ed|d|ing)?"
SWAPPED = 0.6
# A word in fewer descriptions is a name; one in more holds them together.
FEWEST, MOST_SHARE = 3, 0.02


def words_of(text):
    """The words of a text, a set of lower-case str."""
    return set(WORD.findall(text.lower()))


def words_to_swap(pages):
    """The words that may take each other's place, a list of str."""
    counts = collections.Counter()
    for page in pages:
        counts.update(words_of(page["summary"]))
    most = MOST_SHARE * len(pages)
    return sorted(w for w, n in counts.items() if FEWEST <= n <= most)


def swap_words(page, words, generator):
    """A page with other words.

    Args:
        page: dict with `document` and `summary`.
        words: list of str, from `words_to_swap`.
        generator: `random.Random`.

    Returns:
        Dict with the same keys, or `None` where no word was replaced.
    """
    others = other_words(
        page, set(words), lambda: generator.choice(words), generator
    )
    return replace(page, others) if others else None


def other_words(page, known, choose, generator):
    """Chooses what takes the place of words that a description shares.

    Args:
        page: dict with `document` and `summary`.
        known: set of str, the words that may be replaced.
        choose: function that returns a word to put in place of another.
        generator: `random.Random`.

    Returns:
        Dict from words of both to others; each word is in it or not by chance.
    """
    text = page["document"].lower()
    return {
        word: choose()
        for word in sorted(words_of(page["summary"]) & known)
        if word in text and generator.random() < SWAPPED
    }


def replace(page, others):
    """A page, dict of `document` and `summary`, with words replaced in both.

    Args:
        page: dict with `document` and `summary`.
        others: dict from words, str of small letters, to others; not empty.
    """
    # In ASCII, or a Turkish letter would match an English one.
    pattern = re.compile(rf"(?ia)\b({'|'.join(others)}){ENDINGS}\b")

    def other(match):
        word = others[match[1].lower()]
        if match[1].isupper():
            word = word.upper()
        elif match[1][0].isupper():
            word = word.capitalize()
        return word + (match[2] or "")

    return {
        key: pattern.sub(other, page[key]) for key in ("document", "summary")
    }


def rows(pages, seed):
    """Yields each page as it is, and then with other words where it can be.

    Args:
        pages: list of dicts with `document` and `summary`.
        seed: int.

    Yields:
        Dicts with `document` and `summary`.
    """
    generator = random.Random(seed)
    words = words_to_swap(pages)
    for page in pages:
        yield {key: page[key] for key in ("document", "summary")}
        swapped = swap_words(page, words, generator)
        if swapped is not None:
            yield swapped


if __name__ == "__main__":
    made_rows.main(__doc__.splitlines()[0], rows)

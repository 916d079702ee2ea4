"""Rows of every form that have to be read: other words in text and line.

A small model that is to write down a sentence finds the right one and then
garbles it, or remembers another. What helps is to copy much, and never the
same. So a text comes either as it is, with the line that its authors wrote, or
with other words in both, some of them words that there are not. Where a line
says what the text does not, that of the reworded text is the title of its
first sentence instead (`leads.py`).
"""

import random
import re
from collections.abc import Callable
from typing import NamedTuple

from examples.led_tiny import baselines
from examples.led_tiny import descriptions
from examples.led_tiny import leads
from examples.led_tiny import mixture
from examples.led_tiny.swapping import other_words
from examples.led_tiny.swapping import replace
from examples.led_tiny.swapping import words_of

# A line with less of its words in the text is not copied from there.
COPIED = 0.7
COPIED_WORDS = 3
# How a sentence begins whose first word is a name.
NAMED = re.compile(r"(\S+) (?:is|are|provides)\b")
# Words in more of the lines than this share hold sentences together.
MOST_SHARE = 0.02
# What share of the other words there are not.
MADE_UP = 0.3
# Characters of a text that are prepared; no stage but the last reads more.
LONGEST = 4000


def word_list(forms):
    """The words that may take each other's place, a list of str.

    Args:
        forms: list of dicts with `summary`.
    """
    counts = {}
    for row in forms:
        for word in words_of(row["summary"]):
            counts[word] = counts.get(word, 0) + 1
    most = MOST_SHARE * len(forms)
    return sorted(word for word, count in counts.items() if count <= most)


def any_word(words, generator):
    """One of the words, or a beginning of one with the end of another."""
    word = generator.choice(words)
    if generator.random() < MADE_UP:
        end = generator.choice(words)
        word = word[: len(word) // 2 + 1] + end[len(end) // 2 :]
    return word


def is_copied(row):
    """Whether enough of the words of a line are in its text."""
    return descriptions.share_found(row) >= COPIED


def is_near(row, characters):
    """Whether the line to find is in the beginning of a text."""
    text = row["document"][:characters]
    if row["form"] == "page":
        return leads.lead_of(text) is not None
    return row["form"] != "readme" or bool(as_copied(row["summary"], text))


def title(text, name, title_of=leads.title_of):
    """The title of the first sentence of a text's prose, or `None`."""
    found = baselines.prose(text)
    if not found or len(found[0].split()) < leads.FEWEST:
        return None
    named = NAMED.match(found[0])
    return title_of(found[0], f"{name} {named[1]}" if named else name)


def as_copied(line, text):
    """A line that begins as the text has its first three words.

    Args:
        line: str.
        text: str.

    Returns:
        `line`, its first word spelt as in the text, with a space ahead where
        the text has one; `None` where the words are not there.
    """
    words = line.rstrip(".").split()
    beginning = r"\s+".join(map(re.escape, words[:COPIED_WORDS]))
    found = re.search(rf"(?<!\w){beginning}", text, re.IGNORECASE)
    if found is None:
        return None
    at, length = found.start(), len(words[0])
    space = " " if text[at - 1 : at] == " " else ""
    return space + text[at : at + length] + line.lstrip()[length:]


def reworded(row, made, words, known, generator, title_of=leads.title_of):
    """A row with other words in it, or `None` where none can be replaced.

    Args:
        row: dict with `form`, `id` and `document`.
        made: dict with `document` and `summary`, as it might be pasted.
        words: list of str, to choose from; likewise
        known: set of str.
        generator: `random.Random`.
        title_of: function of `leads` that makes a title.
    """
    if row["form"] == "page" or (
        row["form"] == "description" and not is_copied(row)
    ):
        name = row["id"]
        if row["form"] == "page":
            name = made["document"].partition("\n")[0]
        line = title(made["document"], name, title_of)
        if line is None:
            return None
        made = {**made, "summary": line}
    others = other_words(
        made, known, lambda: any_word(words, generator), generator
    )
    return replace(made, others) if others else None


def repeated(forms, counts, generator):
    """So many texts of each form, mixed; again where there are not as many.

    Args:
        forms: list of dicts with `form`.
        counts: dict from forms to int.
        generator: `random.Random`.

    Returns:
        List of dicts of `forms`.
    """
    chosen = []
    for form, count in counts.items():
        found = [row for row in forms if row["form"] == form]
        rounds, rest = divmod(count, len(found))
        chosen += found * rounds + generator.sample(found, rest)
    generator.shuffle(chosen)
    return chosen


class Mix(NamedTuple):
    """What a stage of training reads.

    Attributes:
        counts: dict from forms to how many texts of each.
        reworded: dict from forms to the share of texts with other words.
        spelt: bool, whether a line begins as the text has its first words.
        whole: bool, whether texts are not cut.
        titled: bool, whether what a text does not say gives way to its title
            in texts as they are too, but for pages.
        title_of: function of `leads` that makes a title.
        near: int, characters that a text is cut to; pages without a
            DESCRIPTION in them, and READMEs without their line, are left out.
            0 for all texts.
    """

    counts: dict
    reworded: dict
    spelt: bool = True
    whole: bool = False
    titled: bool = False
    title_of: Callable = leads.title_of
    near: int = 0

    def rows(self, forms, seed):
        """Yields rows in the order in which they are to be read.

        Args:
            forms: list of dicts, as `mixture.read` returns them.
            seed: int.

        Yields:
            Dicts with `document` and `summary`.
        """
        generator = random.Random(seed)
        forms = [row for row in forms if row["form"] in self.counts]
        words = word_list(forms)
        known = set(words)
        make = mixture.varied if self.whole else mixture.cut
        if self.near:
            forms = [row for row in forms if is_near(row, self.near)]
        for row in repeated(forms, self.counts, generator):
            made = make(row, generator)
            if self.spelt:
                copied = as_copied(row["summary"], made["document"])
                made["summary"] = copied or made["summary"]
            if not self.whole:
                made["document"] = made["document"][: self.near or LONGEST]
            if self.titled and row["form"] != "page" and not is_copied(row):
                line = title(made["document"], row["id"], self.title_of)
                made["summary"] = line or made["summary"]
            if generator.random() < self.reworded[row["form"]]:
                other = reworded(
                    *(row, made, words, known, generator, self.title_of)
                )
                made = other or made
            yield made


FIND = Mix(
    {"page": 3000, "description": 7000},
    {"page": 0.8, "description": 0.8},
    spelt=False,
)
LINES = Mix(
    {"page": 2500, "readme": 5000, "description": 2500},
    {"page": 0.5, "readme": 0.6, "description": 0.4},
    spelt=False,
)
READ = Mix(
    {"page": 10000, "raw": 4000, "readme": 11000, "description": 9000},
    {"page": 0.4, "raw": 0.6, "readme": 0.6, "description": 0.4},
)
COPY = Mix(
    {"page": 2200, "raw": 400, "readme": 1200, "description": 2600},
    {"page": 0.6, "raw": 0.6, "readme": 0.6, "description": 0.6},
    titled=True,
)
WHOLE = Mix(
    {"page": 120, "raw": 60, "readme": 60},
    COPY.reworded,
    whole=True,
    titled=True,
)
LONG = Mix(
    {"page": 150, "raw": 80, "readme": 650, "description": 300},
    {"page": 0.5, "raw": 0.5, "readme": 0.5, "description": 0.5},
    whole=True,
)
MORE = Mix(
    {"page": 2500, "raw": 1200, "readme": 7000, "description": 31000},
    {"page": 0.5, "raw": 0.5, "readme": 0.7, "description": 0.5},
    titled=True,
    title_of=leads.phrase_title_of,
    near=800,
)
AFTER = Mix(
    {"page": 140, "raw": 40, "readme": 400, "description": 140},
    {"page": 0.3, "raw": 0.5, "readme": 0.5, "description": 0.5},
    whole=True,
)

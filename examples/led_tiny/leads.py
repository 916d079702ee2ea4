"""Rows for training: pages, and what their DESCRIPTION begins with.

    python -m examples.led_tiny.leads train.jsonl leads.jsonl

The best place to look for what a page is about is the first sentence of its
DESCRIPTION. A model learns to find that place, whatever stands before it, from
pages some of whose words are replaced (`swapping.py`): it has to be read. Then
it learns to make a title of the sentence: "The frob utility is used to list
files, which ..." becomes "list files".

Targets begin as the page has the word, small within a sentence, so that the
first token of a line can be copied like every other.
"""

import random
import re

from examples.led_tiny import made_rows
from examples.led_tiny.pretraining import sentences
from examples.led_tiny.swapping import swap_words
from examples.led_tiny.swapping import words_to_swap

HEADING = re.compile(r"^DESCRIPTION\n", re.MULTILINE)
# Words of a sentence and of a title; with less than three they say nothing.
MOST, MOST_OF_TITLE, FEWEST = 15, 12, 3

# How a sentence begins that is about the thing that the page is named after.
KINDS = (
    "application call class command daemon device driver file filter function "
    "interface library macro method module operator option package plugin "
    "procedure program protocol routine script server subroutine tool utility"
).split()
VERBS = (
    "is used to|are used to|can be used to|may be used to|is used for|"
    "is designed to|is intended to|allows you to|allows the user to|"
    "provides an?|provides the|provides|is an?|is the|is|are|will|shall|can|"
    "does|may"
)
SUBJECT = (
    r"(?:(?:this|the|these)\s+)?"
    r"(?:(?:{names})(?:\(\w*\))?\s+)?"
    rf"(?:(?:{'|'.join(KINDS)})s?\s+)?"
    rf"(?:(?:{VERBS})\s+)?"
)
# Where the part ends that stands for the whole.
CLAUSE_END = re.compile(
    r",|;| which | that | \(|--| so that | by | using | when | in order "
)
# For titles that end where a phrase does: where the part ends, how many words
# it has, the words that no title ends with, and signs of what is no prose.
PHRASE_END = re.compile(
    r",|;| which | that | \(|--| so that | when | in order "
)
FEWEST_OF_PHRASES, MOST_OF_PHRASES = 4, 14
JOINTS = frozenset(
    "a an and as at by for from in into of on or the to using with".split()
)
BEFORE_OBJECT = JOINTS - {"a", "an", "the"} | {"part", "set", "inspired"}
NO_PROSE = re.compile(r"[][<>{}|`*]|://")


def lead_of(text):
    """The sentence after DESCRIPTION, str; or `None`."""
    heading = HEADING.search(text)
    found = sentences(text[heading.end() :][:1000]) if heading else []
    return found[0] if found and len(found[0].split()) >= FEWEST else None


def title_of(lead, names):
    """What a sentence says of its subject, like the title of a page.

    Args:
        lead: str, a sentence.
        names: str, the first line of the page: its names.

    Returns:
        str of at most `MOST_OF_TITLE` words, with a space ahead where it does
        not begin with the sentence.
    """
    said = _said(lead, names, CLAUSE_END)
    title = " ".join(said.split()[:MOST_OF_TITLE])
    return title if lead.startswith(said) else f" {title}"


def phrase_title_of(lead, names):
    """As `title_of`, of up to `MOST_OF_PHRASES` words, the last phrase whole.

    "library for reading and writing files in the format of another program
    from long ago" ends before "of", where `title_of` ends behind "another".
    `None` where that is no prose.
    """
    said = _said(lead, names, PHRASE_END, FEWEST_OF_PHRASES)
    if said.split()[0].lower() in BEFORE_OBJECT:
        said = PHRASE_END.split(lead)[0]
    words = said.split()
    if len(words) > MOST_OF_PHRASES:
        ends = range(FEWEST_OF_PHRASES, MOST_OF_PHRASES)
        joints = [end for end in ends if words[end].lower() in JOINTS]
        words = words[: joints[-1] if joints else MOST_OF_PHRASES]
    while len(words) > FEWEST and words[-1].lower() in JOINTS:
        words.pop()
    title = " ".join(words).rstrip(",;:")
    if NO_PROSE.search(title):
        return None
    return title if lead.startswith(said) else f" {title}"


def _said(lead, names, end, fewest=FEWEST):
    """What a sentence says of its subject, up to an end."""
    names = sorted(re.split(r"[,\s]+", names), key=len, reverse=True)
    names = [re.escape(name).replace("_", "[_ -]") for name in names if name]
    subject = re.compile(SUBJECT.format(names="|".join(names)), re.IGNORECASE)
    said = _unless_short(lead[subject.match(lead).end() :], lead, fewest)
    return _unless_short(end.split(said)[0], said, fewest)


def _unless_short(text, other, fewest):
    return text if len(text.split()) >= fewest else other


def rows(pages, seed):
    """Yields each page that has such a sentence, with other words in both.

    Args:
        pages: list of dicts with `document` and `summary`.
        seed: int.

    Yields:
        Dicts with `document` and `summary`: the first words of the sentence.
    """

    def first_words(lead, names):
        del names
        return " ".join(lead.split()[:MOST])

    yield from _rows(pages, seed, first_words)


def title_rows(pages, seed):
    """As `rows`, with what the sentence says in the place of its words."""
    yield from _rows(pages, seed, title_of)


def _rows(pages, seed, target_of):
    generator = random.Random(seed)
    words = words_to_swap(pages)
    for page in pages:
        text = page["document"]
        lead = lead_of(text)
        if lead is not None:
            target = target_of(lead, text.partition("\n")[0])
            row = {"document": text, "summary": target}
            yield swap_words(row, words, generator) or row


if __name__ == "__main__":
    made_rows.main(__doc__.splitlines()[0], rows)

"""Rows of every form of text that people hand to a summarizer, mixed.

A model that has read clean pages alone writes nonsense about what a terminal
shows and about a README. The last stage of training therefore reads, with the
lines that their authors wrote,

    page         a manual page of the data set,
    raw          one as `man` prints it, its line still in it (`raw_pages.py`),
    readme       a README (`readmes.py`),
    description  a description of a Debian package (`descriptions.py`),

some of each. Every text comes as it might be pasted: with and without line
breaks, header or name.
"""

import itertools
import json
import random
import re

from examples.led_tiny import leads
from examples.led_tiny import remembering
from examples.led_tiny.swapping import swap_words
from examples.led_tiny.swapping import words_to_swap
from keras_led.files import write_text

# Of each form, how many rows of `train` are kept to choose by.
VALID_ROWS = {"readme": 80, "description": 150}
# Pages whose words are swapped, as in the stages before.
SWAPPED_PAGES = 0.35
# Characters of a printed page; the line to find is among the first.
SHORTEST, LONGEST = 400, 1600
# How many rows of each form the mixed stage reads, and how many of the
# READMEs again.
MIXED = {"page": 2000, "raw": 3000, "readme": 1700, "description": 4000}
AGAIN = 600
# How many the polish reads, and how many pages with other words and the title
# of their first sentence.
POLISHED = {"page": 300, "raw": 250, "readme": 250, "description": 150}
REWORDED = 650

HEADER = re.compile(r"\A[^\n]*\n+(?=NAME\n)")
PARAGRAPH = re.compile(r"(?<=[^\n])\n(?=[^\s*+-])")
TAB = 8


def read(data, split):
    """The rows of a split with their forms.

    Args:
        data: `pathlib.Path` of the folder that the builds write to.
        split: str, `"train"` or `"valid"`.

    Returns:
        List of dicts with `form`, `id`, `document` and `summary`.
    """
    found = []
    for form, name in (("page", split), ("raw", f"raw_{split}")):
        found += _labeled(form, data / f"{name}.jsonl")
    for form, name in (("readme", "readmes"), ("description", "descriptions")):
        rows = _labeled(form, data / f"{name}.jsonl")
        kept = VALID_ROWS[form]
        found += rows[:kept] if split == "valid" else rows[kept:]
    return found


def _labeled(form, path):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    keys = ("id", "document", "summary")
    return [{"form": form, **{key: row[key] for key in keys}} for row in rows]


def write_forms(data):
    """Writes `forms.jsonl` and, to choose by, `forms_valid.jsonl`."""
    for split, name in (("train", "forms"), ("valid", "forms_valid")):
        rows = read(data, split)
        if split == "valid":
            generator = random.Random(0)
            rows = [varied(row, generator) for row in rows]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        write_text(data / f"{name}.jsonl", text)


def with_tabs(text):
    """Text as `col -b` leaves it: tabs for runs of spaces up to a stop."""
    lines = []
    for line in text.split("\n"):
        parts = [line[at : at + TAB] for at in range(0, len(line), TAB)]
        for place, part in enumerate(parts):
            run = part[-2:] + line[(place + 1) * TAB :][:1]
            if len(part) == TAB and (run[:2] == "  " or run[1:] == "  "):
                parts[place] = part.rstrip(" ") + "\t"
        lines.append("".join(parts))
    return "\n".join(lines)


def unwrapped(text):
    """Text with each paragraph on one line; lists keep their lines."""
    return PARAGRAPH.sub(" ", text)


def raw_text(text, generator):
    """A printed page as it may be pasted."""
    if generator.random() < 0.15:
        text = HEADER.sub("", text)
    if generator.random() < 0.25:
        text = with_tabs(text)
    return text


def description_text(text, name, generator):
    """A description as it may be pasted."""
    if generator.random() < 0.5:
        text = unwrapped(text)
    if generator.random() < 0.25:
        text = f"{name}\n{text}"
    return text


def varied(row, generator):
    """A row in one of the ways in which its text may be pasted."""
    text = row["document"]
    if row["form"] == "raw":
        text = raw_text(text, generator)
    elif row["form"] == "description":
        text = description_text(text, row["id"], generator)
    summary = remembering.as_in_page(row["summary"], text)
    return {"document": text, "summary": summary}


def swapped(row, words, generator):
    """A page with other words and a title of its first sentence, or `None`."""
    lead = leads.lead_of(row["document"])
    if lead is None:
        return None
    title = leads.title_of(lead, row["document"].partition("\n")[0])
    return swap_words({**row, "summary": title}, words, generator)


def cut(row, generator):
    """A row as `varied` makes it, of a printed page the beginning."""
    made = varied(row, generator)
    if row["form"] == "raw":
        length = generator.randint(SHORTEST, LONGEST)
        made["document"] = made["document"][:length]
    return made


def drawn(forms, counts, generator):
    """So many texts of each form, a list."""
    chosen = []
    for form, count in counts.items():
        found = [row for row in forms if row["form"] == form]
        chosen += generator.sample(found, min(count, len(found)))
    return chosen


def rows(forms, seed):
    """Yields texts of every form, and some pages with other words too.

    Args:
        forms: list of dicts, as `read` returns them.
        seed: int.

    Yields:
        Dicts with `document` and `summary`.
    """
    generator = random.Random(seed)
    words = words_to_swap([row for row in forms if row["form"] == "page"])
    chosen = drawn(forms, MIXED, generator)
    readmes = [row for row in chosen if row["form"] == "readme"]
    chosen += readmes[:AGAIN]
    generator.shuffle(chosen)
    for row in chosen:
        made = cut(row, generator)
        yield made
        if row["form"] == "page" and generator.random() < SWAPPED_PAGES:
            other = swapped(row, words, generator)
            if other is not None:
                yield {key: other[key] for key in made}


def polish_rows(forms, seed):
    """Yields texts of every form, and more pages with other words."""
    generator = random.Random(seed)
    pages = [row for row in forms if row["form"] == "page"]
    words = words_to_swap(pages)
    shuffled = generator.sample(pages, len(pages))
    others = (swapped(row, words, generator) for row in shuffled)
    found = itertools.islice(filter(None, others), REWORDED)
    made = [
        *({key: row[key] for key in ("document", "summary")} for row in found),
        *(cut(row, generator) for row in drawn(forms, POLISHED, generator)),
    ]
    generator.shuffle(made)
    yield from made

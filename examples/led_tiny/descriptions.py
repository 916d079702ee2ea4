"""Rows of Debian packages: the long description, and the line above it.

    python -m examples.led_tiny.descriptions --output runs/led-tiny/data

Every package of Debian says what it is in one line, the synopsis, and again
in a few paragraphs. Sixty thousand packages are much text on many subjects,
though many of them say the same: the packages made from one source, and
paragraphs that whole families share. What is left writes two files,
`descriptions.jsonl` to train on and `descriptions_test.jsonl`, of packages
that are held out (`held_out.py`).

Run it on Debian 12 after `apt-get update -o Acquire::Languages=en`; nothing is
installed and nothing else downloaded.
"""

import argparse
import collections
import json
import re
import subprocess
from pathlib import Path

from examples.led_tiny import cleaning
from examples.led_tiny import copies
from examples.led_tiny import held_out
from examples.led_tiny import packages
from examples.led_tiny import splits
from keras_led.files import write_text

# A paragraph of as many sources is about none of them.
SHARED_PARAGRAPH = 4
# An end of a synopsis, as in "- development files", likewise.
SHARED_ENDING = 10
FEWEST_WORDS = 15
# What share of the synopsis's words the description must have.
FOUND = 0.4
TEST_ROWS = 300

FIELD = re.compile(r"^([\w-]+): (.*(?:\n[ \t].*)*)", re.MULTILINE)
ENDING = re.compile(r"\s+(?:--?\s.*|\([^()]*\))$")


def records(created_by):
    """Reads apt's lists: yields a dict of fields for each of their records.

    Args:
        created_by: str, `"Packages"` or `"Translations"`.
    """
    found = subprocess.run(
        [
            *("apt-get", "-o", "Acquire::Languages=en", "indextargets"),
            *("--format", "$(FILENAME)", f"Created-By: {created_by}"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    for file in found.stdout.split():
        text = subprocess.run(
            ["/usr/lib/apt/apt-helper", "cat-file", file],
            capture_output=True,
            check=True,
        ).stdout.decode("utf-8", "replace")
        for record in text.split("\n\n"):
            if record.strip():
                yield dict(FIELD.findall(record))


def read():
    """All packages, a list of dicts of fields: name, source, description."""
    found = {
        fields["Package"]: {"Source": fields["Package"], **fields}
        for fields in records("Translations")
        if "Description-en" in fields
    }
    for fields in records("Packages"):
        if "Source" in fields and fields["Package"] in found:
            found[fields["Package"]]["Source"] = fields["Source"]
    return [fields for _, fields in sorted(found.items())]


def row_of(fields):
    """Makes a row of the fields of a package; `None` without a description."""
    synopsis, _, text = fields.get("Description-en", "").partition("\n")
    lines = [line[1:].rstrip() for line in text.split("\n")]
    document = "\n".join("" if line == "." else line for line in lines)
    if not synopsis or not document.strip():
        return None
    return {
        "id": fields["Package"],
        "source_package": fields["Source"].split()[0],
        "document": document.strip("\n"),
        "summary": synopsis.strip(),
    }


def without_shared_parts(rows):
    """Takes out paragraphs and ends of lines that many packages share."""
    sources, endings = collections.defaultdict(set), collections.Counter()
    for row in rows:
        for paragraph in row["document"].split("\n\n"):
            sources[" ".join(paragraph.split())].add(row["source_package"])
        endings.update(match[0] for match in ENDING.finditer(row["summary"]))
    for row in rows:
        row["document"] = "\n\n".join(
            paragraph
            for paragraph in row["document"].split("\n\n")
            if len(sources[" ".join(paragraph.split())]) < SHARED_PARAGRAPH
        )
        ending = ENDING.search(row["summary"])
        if ending and endings[ending[0]] >= SHARED_ENDING:
            row["summary"] = row["summary"][: ending.start()]
        row["summary"] = cleaning.as_sentence(row["summary"])


def share_found(row):
    """The share of the words of a summary that its document has, a float."""
    wanted = set(cleaning.words(row["summary"])) - cleaning.SMALL_WORDS
    found = wanted & set(cleaning.words(row["document"]))
    return len(found) / max(1, len(wanted))


def usable(row):
    """Whether a row has enough to read and a line worth writing."""
    count = len(cleaning.words(row["summary"]))
    return (
        len(cleaning.words(row["document"])) >= FEWEST_WORDS
        and count in cleaning.SUMMARY_WORDS
    )


def one_of_each_source(rows):
    """Of a source's packages with one beginning: where the line fits best."""
    best = {}
    for row in rows:
        beginning = " ".join(cleaning.words(row["document"])[:20])
        for key in (beginning, (row["source_package"], row["summary"])):
            old = best.get(key)
            if old is None or share_found(row) > share_found(old):
                best[key] = row
    kept = collections.Counter(id(row) for row in best.values())
    # A row stays that is the best by its beginning and by its line.
    return [row for row in rows if kept[id(row)] == 2]


def select(rows):
    """Divides the rows of all packages.

    Args:
        rows: list of dicts, as `row_of` makes them; they are changed.

    Returns:
        Pair of lists: rows to train on, and rows to test with. No source has
        packages in both.
    """
    tested = {
        row["source_package"]
        for row in rows
        if held_out.is_listed(row["id"]) or row["id"] in packages.UNSEEN
    }
    without_shared_parts(rows)
    rows = one_of_each_source(list(filter(usable, rows)))
    rows.sort(key=lambda row: splits.draw("descriptions", row["id"]))
    texts = [row["document"] for row in rows]
    pairs = copies.alike(texts, splits.RELATED)
    out = copies.superfluous(texts, [pair[:2] for pair in pairs])
    rows = [row for place, row in enumerate(rows) if place not in out]
    test = [row for row in rows if held_out.is_listed(row["id"])]
    train = [
        row
        for row in rows
        if row["source_package"] not in tested
        and not held_out.is_held_out(row["id"])
        and not held_out.is_held_out(row["source_package"])
        and share_found(row) >= FOUND
    ]
    return train, test[:TEST_ROWS]


def json_lines(rows):
    """Rows as the text of a file."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def build(output):
    """Writes both files; returns how many rows each has."""
    rows = list(filter(None, map(row_of, read())))
    train, test = select(rows)
    output.mkdir(parents=True, exist_ok=True)
    write_text(output / "descriptions.jsonl", json_lines(train))
    write_text(output / "descriptions_test.jsonl", json_lines(test))
    return len(train), len(test)


def main():
    """Reads the command line and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    chosen = parser.parse_args()
    train, test = build(chosen.output)
    print(f"{train} rows to train on, {test} to test with")


if __name__ == "__main__":
    main()

"""Rows of manual pages as `man` prints them, and the line in their NAME.

    python -m examples.led_tiny.raw_pages --output runs/led-tiny/data

What people hand to a summarizer is the page as they see it: a header and a
footer, justified and hyphenated lines, and the line that says what the page
is about still in it, in NAME. This draws the pages of the data set
(`build.py`) again with `groff`, by the commands that `man` itself runs, and
writes `raw_train.jsonl`, of some of the pages to train on, and so on beside
them, and `raw_tested.jsonl`, some of `test_unseen`. A row keeps its summary,
and its split.

It needs `groff` and the downloads of the build.
"""

import argparse
import gzip
import json
import os
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from examples.led_tiny import download
from examples.led_tiny import packages
from keras_led.files import write_text

# Columns; 78 is what `man` takes in a terminal of 80.
WIDTHS = (78, 78, 78, 78, 65, 98)
DEVICES = ("utf8", "utf8", "ascii")
# More of a page than a model reads.
CHARACTERS = 20_000
# Pages to train on, and of packages that training never saw, to test with.
TRAINED = 3000
TESTED = 200
SPLITS = ("train", "valid", "test_unseen")
OVERSTRIKE = re.compile(r".\x08")
EMPTY_LINES = re.compile(r"\n{3,}")


def draw(source, width, device):
    """Draws a page as `man PAGE | col -b` does.

    Args:
        source: bytes, the page in the language of `man` or `mdoc`.
        width: int, columns.
        device: str, `"utf8"` or `"ascii"`.

    Returns:
        str; empty where groff fails.
    """
    lengths = [f"-rLL={width}n", f"-rLT={width}n"]
    result = subprocess.run(
        ["groff", "-ktE", "-mandoc", "-T", device, "-P-cbou", *lengths],
        input=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
    text = result.stdout.decode("utf-8", "replace")
    return EMPTY_LINES.sub("\n\n", OVERSTRIKE.sub("", text)).strip()


def row_of(row, source):
    """The row of a page as it is drawn; `None` where that fails.

    Args:
        row: dict of the data set.
        source: bytes, the file of the page, compressed or not.
    """
    if source[:2] == b"\x1f\x8b":
        source = gzip.decompress(source)
    generator = random.Random(row["id"])
    text = draw(source, generator.choice(WIDTHS), generator.choice(DEVICES))
    if not re.search(r"^NAME\n", text, re.MULTILINE):
        return None
    keys = ("id", "source_package", "summary")
    return {"document": text[:CHARACTERS], **{key: row[key] for key in keys}}


def read_rows(data):
    """The rows to draw by id, each with the name of its split."""
    found = {}
    for name in SPLITS:
        with open(data / f"{name}.jsonl", encoding="utf-8") as lines:
            rows = list(map(json.loads, lines))
        if name == "train":
            rows = random.Random(0).sample(rows, min(TRAINED, len(rows)))
        found.update((row["id"], (name, row)) for row in rows)
    return found


def id_of(package, path):
    """The id of a row, from a package's name and the path of a page."""
    name = path.rpartition("/")[2].removesuffix(".gz")
    page, _, section = name.rpartition(".")
    return f"{package}:{page}({section})"


def build(data, downloads, jobs):
    """Writes a file for each split; returns a dict of how many rows."""
    rows = read_rows(data)
    made = {name: [] for name in SPLITS}
    with ThreadPoolExecutor(jobs) as pool:
        for package in packages.read():
            deb = download.deb_of(package, downloads)
            if deb is None:
                # Whatever version the build took in its place.
                deb = sorted(downloads.glob(f"{package.name}_*.deb"))[0]
            pages, _ = download.contents(deb)
            chosen = [
                (*rows[id_of(package.name, path)], source)
                for path, source in pages
                if id_of(package.name, path) in rows
            ]
            drawn = pool.map(lambda page: row_of(*page[1:]), chosen)
            for (name, *_), row in zip(chosen, drawn, strict=True):
                made[name] += [row] if row else []
    for name, found in made.items():
        text = "".join(json.dumps(row) + "\n" for row in found)
        write_text(data / f"raw_{name}.jsonl", text)
    unseen = made["test_unseen"]
    sample = random.Random(0).sample(unseen, min(TESTED, len(unseen)))
    text = "".join(json.dumps(row) + "\n" for row in sample)
    write_text(data / "raw_tested.jsonl", text)
    return {name: len(found) for name, found in made.items()}


def main():
    """Reads the command line and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--downloads", type=Path, help="OUTPUT/downloads")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    downloads = chosen.downloads or chosen.output / "downloads"
    print(build(chosen.output, downloads, chosen.jobs))


if __name__ == "__main__":
    main()

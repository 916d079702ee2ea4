"""Files of rows that are made from pages, by a function and by a command."""

import argparse
import json
from pathlib import Path


def write(make, source, target, seed):
    """Writes the rows that are made of a file of pages.

    Args:
        make: function from a list of pages, dicts, and a seed to an iterable
            of rows, dicts.
        source: path, the pages, JSON lines.
        target: path of the file to write, JSON lines.
        seed: int.

    Returns:
        int, how many rows there are.
    """
    with open(source, encoding="utf-8") as lines:
        pages = [json.loads(line) for line in lines]
    count = 0
    with open(target, "w", encoding="utf-8") as file:
        for row in make(pages, seed):
            file.write(json.dumps(row) + "\n")
            count += 1
    return count


def main(description, make):
    """Reads a command line and writes the rows.

    Args:
        description: str, what the command does.
        make: function, as for `write`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("source", type=Path, help="pages, JSON lines")
    parser.add_argument("target", type=Path, help="the file to write")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    print(write(make, chosen.source, chosen.target, chosen.seed), "rows")

"""The Debian packages whose manual pages `led-tiny` learns from.

`packages.tsv` lists them with the version that the model was trained on and a
hint at the licence of the pages. The hint is one per package; a single page
may say otherwise, and the package's own copyright file has the last word.
"""

import csv
import dataclasses
import itertools
from pathlib import Path

TABLE = Path(__file__).with_name("packages.tsv")

# Packages that training never sees at all: the test of reading new things.
UNSEEN = frozenset(
    {
        "buildah",
        "gdal-bin",
        "libarchive-dev",
        "libimager-perl",
        "libmodbus-dev",
        "lttng-tools",
        "pcp",
        "podman",
        "samtools",
        "varnish",
    }
)


@dataclasses.dataclass(frozen=True)
class Package:
    """A row of the table: all str, as Debian writes them."""

    name: str
    version: str
    license: str

    @property
    def notice_package(self):
        """The package that holds the copyright file; the others link to it."""
        return "manpages" if self.name == "manpages-dev" else self.name


def read(path=TABLE):
    """Reads the table.

    Args:
        path: str or path of a file of tab-separated lines, the first of which
            is `package`, `version`, `license`.

    Returns:
        List of `Package`, in the order of their names.

    Raises:
        ValueError: If a line does not have three fields, or a package is
            listed twice.
    """
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, delimiter="\t"))
    wrong = [line for line in lines if len(line) != 3 or not all(line)]
    if wrong:
        raise ValueError(
            f"A line of {path} must have a package, a version and a license, "
            f"with a tab between. Received: line={wrong[0]}."
        )
    found = sorted((Package(*line) for line in lines[1:]), key=_name)
    twice = {a.name for a, b in itertools.pairwise(found) if a.name == b.name}
    if twice:
        raise ValueError(
            f"A package may stand in {path} only once. "
            f"Received: packages={sorted(twice)}."
        )
    return found


def card_rows(packages, counts):
    """Rows for the table of sources in a model card.

    Args:
        packages: iterable of `Package`.
        counts: dict from a split's name to a dict from a package's name to
            how many of its pages are in the split, as `counts` in the
            `stats.json` of the build.

    Returns:
        List of dicts with `package`, `version`, `license`, and the number of
        pages for each split. Packages without a page in any split are left
        out.
    """
    rows = [
        {
            "package": package.name,
            "version": package.version,
            "license": package.license,
            **{
                name: count.get(package.name, 0)
                for name, count in counts.items()
            },
        }
        for package in packages
    ]
    return [row for row in rows if any(row[name] for name in counts)]


def markdown(rows):
    """Writes rows of `card_rows` as a table in Markdown; returns a str."""
    heads = list(rows[0])
    lines = [heads, ["---"] * len(heads), *(row.values() for row in rows)]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _name(package):
    return package.name

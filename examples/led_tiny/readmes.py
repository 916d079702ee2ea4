"""Rows of READMEs, and the line in which their authors sum the project up.

    python -m examples.led_tiny.readmes --output runs/led-tiny/data

A package of npm has a `description` in its `package.json`, one of PyPI a
`Summary` above the README in its metadata. The READMEs to train on are those
that a few programs of npm (`INSTALLED`) bring along with all that they stand
on, of which nothing is run, those of the Python packages that are installed
where this runs, and those of small `node-*` and `python3-*` packages of Debian
(40 MB). Those to test with are of such packages that are held out
(`held_out.py`). Two files are written, `readmes.jsonl` and
`readmes_test.jsonl`.

What npm gives on another day may be other versions.
"""

import argparse
import email
import gzip
import json
import re
import subprocess
import sysconfig
from pathlib import Path

from examples.led_tiny import cleaning
from examples.led_tiny import descriptions
from examples.led_tiny import held_out
from examples.led_tiny import splits
from keras_led.files import write_text

INSTALLED = (
    "browserify@17.0.1 grunt@1.6.3 gulp@4.0.2 karma@6.4.4 metalsmith@2.7.0 "
    "react-scripts@5.0.1 sails@1.5.18 standard@17.1.2 tap@16.3.10 yo@5.0.0"
).split()
# Packages of Debian to train on: how many, and how large at most, in bytes.
DEBIAN = 1500
LARGEST = 60_000
BATCH = 50
# A README is read so far, in characters, and has at least so many words.
CHARACTERS = 12_000
FEWEST_WORDS = 40
# What share of the words of the line the README must have to train on it.
FOUND = 0.5

README = re.compile(r"readme(?:\.(?:md|markdown|rst|txt))?(?:\.gz)?", re.I)
FIELDS_END = re.compile(r"\n\s*\n")


def install(folder):
    """Fetches `INSTALLED` into a folder, where that has not been done."""
    done = folder / "done"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--force"]
    subprocess.run(
        ["npm", "install", *quiet, "--prefix", folder, *INSTALLED], check=True
    )
    done.touch()


def read_text(path):
    """A text file, compressed or not, as a str."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return content.decode("utf-8", "replace").replace("\r\n", "\n")


def npm_rows(folder, doc=None):
    """Yields a row of each folder below that has a `package.json`.

    Args:
        folder: `pathlib.Path`.
        doc: `pathlib.Path` of the folder of a README that is kept elsewhere,
            or `None`.
    """
    for path in sorted(folder.rglob("package.json")):
        try:
            fields = json.loads(path.read_text("utf-8"))
        except ValueError:
            continue
        if not isinstance(fields, dict):
            continue
        name, line = fields.get("name"), fields.get("description")
        if not (isinstance(name, str) and isinstance(line, str)):
            continue
        found = [
            file
            for place in (path.parent, doc)
            if place is not None
            for file in sorted(place.iterdir())
            if README.fullmatch(file.name) and file.is_file()
        ]
        if found:
            yield row_of(f"npm:{name}", name, read_text(found[0]), line)


def python_rows(folder):
    """Yields a row of the metadata of each Python package below a folder."""
    for pattern in ("*.dist-info/METADATA", "*.egg-info/PKG-INFO"):
        for path in sorted(folder.rglob(pattern)):
            fields = email.message_from_string(read_text(path))
            name, line = fields["Name"], fields["Summary"]
            text = fields.get_payload() or fields["Description"] or ""
            # Old metadata indent the README below its field.
            text = re.sub(r"^ {8}", "", text, flags=re.MULTILINE)
            if name and line:
                yield row_of(f"pypi:{name}", name, text, line)


def row_of(key, name, text, line):
    """A row, dict, of a README and its line."""
    return {
        "id": key,
        "source_package": name,
        "document": text.strip()[:CHARACTERS],
        "summary": cleaning.as_sentence(line),
    }


def usable(row):
    """Whether a README has enough to read and a line worth writing."""
    words = len(cleaning.words(row["summary"]))
    return (
        len(cleaning.words(row["document"])) >= FEWEST_WORDS
        and words in cleaning.SUMMARY_WORDS
        and len(row["summary"]) <= cleaning.SUMMARY_CHARACTERS
    )


def distinct(rows):
    """The rows whose line and whose README's beginning come first."""
    seen = set()
    for row in rows:
        keys = row["summary"].lower(), row["document"][:300]
        if seen.isdisjoint(keys):
            yield row
        seen.update(keys)


def train_rows(folder, debian):
    """READMEs to train on, list of rows, from what was installed.

    Args:
        folder: `pathlib.Path` of what npm installed.
        debian: list of rows of packages of Debian, to choose from.
    """
    rows = [
        *npm_rows(folder / "node_modules"),
        *python_rows(Path(sysconfig.get_path("purelib"))),
        *debian,
    ]
    rows = [
        row
        for row in distinct(rows)
        if usable(row)
        and not held_out.is_held_out(row["source_package"])
        and descriptions.share_found(row) >= FOUND
    ]
    return sorted(rows, key=lambda row: splits.draw("readmes", row["id"]))


def debian_names():
    """The packages of Debian with READMEs.

    Returns:
        Pair of lists of str: packages to train on and packages to test with.
    """
    sizes, sources = {}, {}
    for fields in descriptions.records("Packages"):
        name = fields["Package"]
        if name.startswith(("node-", "python3-")):
            sizes[name] = int(fields["Size"])
            sources[name] = fields.get("Source", name).split()[0]
    test = sorted(filter(held_out.is_listed, sizes))
    tested = {sources[name] for name in test}
    small = [
        name
        for name, size in sizes.items()
        if size <= LARGEST
        and sources[name] not in tested
        and not held_out.is_held_out(name)
        and not held_out.is_held_out(sources[name])
    ]
    small.sort(key=lambda name: splits.draw("debian", name))
    return sorted(small[:DEBIAN]), test


def unpack(names, folder):
    """Downloads packages of Debian and unpacks each into a folder."""
    debs = folder / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    absent = [name for name in names if not list(debs.glob(f"{name}_*.deb"))]
    for start in range(0, len(absent), BATCH):
        batch = absent[start : start + BATCH]
        subprocess.run(["apt-get", "-q", "download", *batch], cwd=debs)
    for name in names:
        for deb in debs.glob(f"{name}_*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb, folder / name], check=True)


def debian_rows(folder, names):
    """READMEs of packages of Debian, list of rows: one for each package."""
    found = []
    for name in names:
        doc = folder / name / "usr/share/doc" / name
        rows = [
            *npm_rows(folder / name, doc if doc.is_dir() else None),
            *python_rows(folder / name),
        ]
        # The line of type definitions is not about the README beside them.
        rows = [
            row
            for row in rows
            if usable(row) and not row["id"].startswith("npm:@types/")
        ]
        # The others are what a package brings along.
        rows.sort(key=lambda row: row["source_package"] not in name)
        found += [{**row, "debian": name} for row in rows[:1]]
    return list(distinct(found))


def main():
    """Reads the command line and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--downloads", type=Path, help="OUTPUT/readmes")
    chosen = parser.parse_args()
    output = chosen.output
    downloads = chosen.downloads or output / "readmes"
    install(downloads)
    names, tested = debian_names()
    unpack(names, downloads / "debian")
    unpack(tested, downloads / "held-out")
    train = train_rows(downloads, debian_rows(downloads / "debian", names))
    test = debian_rows(downloads / "held-out", tested)
    write_text(output / "readmes.jsonl", descriptions.json_lines(train))
    write_text(output / "readmes_test.jsonl", descriptions.json_lines(test))
    print(len(train), "READMEs to train on,", len(test), "to test with")


if __name__ == "__main__":
    main()

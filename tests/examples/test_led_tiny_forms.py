"""The forms of text beside clean pages that `led-tiny` learns from."""

import gzip
import hashlib
import json
import random
import shutil
import subprocess

import keras
import numpy as np
import pytest

from examples.led_tiny import baselines
from examples.led_tiny import descriptions
from examples.led_tiny import held_out
from examples.led_tiny import mixture
from examples.led_tiny import positions
from examples.led_tiny import raw_pages
from examples.led_tiny import readmes

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="the recipe prepares the same on every backend",
)

PAGE = rb""".TH FROB 1
.SH NAME
frob \- list the things in a file
.SH DESCRIPTION
Frob lists things.
"""


@pytest.fixture
def listed(monkeypatch):
    """Holds out the package `node-frob` and no other."""
    digest = hashlib.sha1(b"node-frob").hexdigest()
    monkeypatch.setattr(held_out, "digests", lambda: {digest})


@pytest.mark.parametrize("name", ["node-frob", "frob", "@scope/frob", "Frob"])
def test_a_held_out_package_is_known_by_its_other_names(listed, name):
    assert held_out.is_held_out(name)
    assert not held_out.is_held_out(f"{name}-two")


def test_the_packages_of_test_unseen_are_held_out():
    assert held_out.is_held_out("varnish")
    assert not held_out.is_listed("varnish")


def fields(name, source, synopsis, *lines):
    text = "".join(f"\n {line}" for line in lines)
    return {
        "Package": name,
        "Source": f"{source} (1.0)",
        "Description-en": synopsis + text,
    }


LONG = "The list of things that this program prints comes from a file of"
OTHER = "A library that draws things on paper, in a window or in a new file."


def test_a_description_is_taken_apart():
    row = descriptions.row_of(
        fields("frob", "frobs", "list things", "Lists things.", ".", "Quick.")
    )
    assert row == {
        "id": "frob",
        "source_package": "frobs",
        "document": "Lists things.\n\nQuick.",
        "summary": "list things",
    }
    assert descriptions.row_of(fields("frob", "frobs", "list things")) is None


def test_one_description_of_a_source_stays_and_held_out_ones_are_tested(listed):
    packages = [
        fields("drib", "drib", "list of things", LONG, "other words here."),
        fields("drib-dev", "drib", "headers, no match", LONG, "other words."),
        fields("node-frob", "nf", "things of a file", OTHER, "Quick."),
        fields("node-frob-doc", "nf", "things of a file, text", OTHER, "More."),
    ]
    train, test = descriptions.select(list(map(descriptions.row_of, packages)))
    assert [row["id"] for row in train] == ["drib"]
    assert train[0]["summary"] == "List of things."
    assert [row["id"] for row in test] == ["node-frob"]


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_page_is_drawn_with_its_line(pack):
    row = {"id": "p:frob(1)", "source_package": "p", "summary": "List."}
    found = raw_pages.row_of(row, pack(PAGE))
    assert found["document"].startswith("FROB(1)")
    assert (
        "NAME\n       frob - list the things in a file\n" in found["document"]
    )
    assert found["summary"] == "List."
    assert raw_pages.row_of(row, b".TH X 1\n.SH OTHER\ntext\n") is None


def test_of_the_pages_to_train_on_some_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_pages, "TRAINED", 2)
    for split in raw_pages.SPLITS:
        rows = [{"id": f"{split}{number}"} for number in range(5)]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{split}.jsonl").write_text(text)
    found = raw_pages.read_rows(tmp_path)
    names = [name for name, _ in found.values()]
    assert [names.count(split) for split in raw_pages.SPLITS] == [2, 5, 5]
    assert all(row["id"] == key for key, (_, row) in found.items())


@pytest.mark.skipif(shutil.which("col") is None, reason="needs col")
def test_tabs_are_those_of_col():
    text = "NAME\n       frob - list\n              of   things   and  a tail\n"
    expected = subprocess.run(
        ["col", "-b"], input=text, capture_output=True, text=True, check=True
    )
    assert mixture.with_tabs(text) == expected.stdout


def test_paragraphs_are_joined_and_lists_are_not():
    text = "one\ntwo\n\nthree\n * four\n * five"
    assert mixture.unwrapped(text) == "one two\n\nthree\n * four\n * five"


def forms():
    """A few texts of every form."""
    return [
        {
            "form": form,
            "id": f"{form}{number}",
            "document": f"frob{number}\nDESCRIPTION\n" + f"{form} " * 600,
            "summary": f"{form.capitalize()} number {number}.",
        }
        for form in mixture.MIXED
        for number in range(5)
    ]


@pytest.mark.parametrize("make", [mixture.rows, mixture.polish_rows])
def test_the_mixture_has_every_form_and_is_the_same_for_a_seed(make):
    found = list(make(forms(), 3))
    assert found == list(make(forms(), 3))
    assert found != list(make(forms(), 4))
    lines = {row["summary"].split()[0].lower() for row in found}
    assert lines == set(mixture.MIXED)


def test_of_a_printed_page_the_beginning_is_read():
    raw = [row for row in forms() if row["form"] == "raw"]
    lengths = [len(row["document"]) for row in mixture.rows(raw, 0)]
    assert mixture.SHORTEST <= min(lengths) < max(lengths) <= mixture.LONGEST


def test_positions_repeat():
    table = np.arange(20).reshape(10, 2)
    found = positions.repeated(table, 4)
    np.testing.assert_array_equal(found[:4], table[:4])
    np.testing.assert_array_equal(found[4:8], table[:4])
    np.testing.assert_array_equal(found[8:], table[:2])


README = """\
# frob [![Build](https://x.example/b.svg)](https://x.example)

Frob lists the [things](https://x.example/things) in a file.
It is quick.

## Install
"""


def test_prose_begins_below_headings_and_badges():
    first, second = baselines.prose(README)[:2]
    assert first == "Frob lists the things in a file."
    assert second == "It is quick."
    assert baselines.prose(
        "FROB(1)\nNAME\n x\nDESCRIPTION\n It reads a\n file."
    ) == ["It reads a file."]


def test_the_row_of_a_readme_has_the_line_of_its_package(tmp_path):
    (tmp_path / "README.md").write_text(README)
    fields = {"name": "frob", "description": "list things in a file"}
    (tmp_path / "package.json").write_text(json.dumps(fields))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/package.json").write_text("{")
    [row] = readmes.npm_rows(tmp_path)
    assert row["summary"] == "List things in a file."
    assert row["document"] == README.strip()
    folder = tmp_path / "frob-1.dist-info"
    folder.mkdir()
    text = "Name: frob\nSummary: list things\n\n" + README
    (folder / "METADATA").write_text(text)
    [row] = readmes.python_rows(tmp_path)
    assert (row["id"], row["summary"]) == ("pypi:frob", "List things.")
    assert row["document"] == README.strip()


def test_debian_packages_of_a_tested_source_are_not_trained_on(
    listed, monkeypatch
):
    def package(name, size=9, **more):
        return {"Package": name, "Size": str(size), **more}

    packages = [
        package("node-frob"),
        package("node-frob-more", Source="node-frob (1.0)"),
        package("python3-drib", Source="drib (1.0)"),
        package("node-drib"),
        package("node-large", size=10**6),
        package("drib"),
    ]
    monkeypatch.setattr(descriptions, "records", lambda kind: packages)
    train, test = readmes.debian_names()
    assert train == ["node-drib", "python3-drib"]
    assert test == ["node-frob"]
    monkeypatch.setattr(readmes, "DEBIAN", 1)
    assert len(readmes.debian_names()[0]) == 1


def test_a_name_stands_above_some_descriptions():
    generator = random.Random(0)
    made = {
        mixture.description_text("one\ntwo", "frob", generator)
        for _ in range(50)
    }
    assert made == {"one\ntwo", "one two", "frob\none\ntwo", "frob\none two"}

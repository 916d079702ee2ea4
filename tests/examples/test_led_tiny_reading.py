"""Rows for `led-tiny` with other words in text and line."""

import random

import keras
import pytest

from examples.led_tiny import leads
from examples.led_tiny import reading
from examples.led_tiny import stages

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="the recipe prepares the same on every backend",
)

FIRST = "Frob lists the curious things that stand in a file."
LINES = {
    "page": f"frob\nSYNOPSIS\nfrob FILE\nDESCRIPTION\n{FIRST}",
    "raw": f"FROB(1)\nNAME\n  frob - curious things\nDESCRIPTION\n  {FIRST}",
    "readme": f"# frob\n\n{FIRST}\n\nIt has curious things.",
    "description": FIRST,
}


def forms(summary="Curious things."):
    """Texts of every form with this line, and words of many other lines."""
    found = [
        {"form": form, "id": "frob", "document": text, "summary": summary}
        for form, text in LINES.items()
        for _ in range(3)
    ]
    others = [
        {**row, "document": "Nothing.", "summary": f"word{'abcdefg'[n % 7]}."}
        for n, row in enumerate(found * 40)
    ]
    return found + others


@pytest.mark.parametrize("form", LINES)
def test_other_words_stand_in_text_and_line(form):
    row = next(row for row in forms() if row["form"] == form)
    made = {key: row[key] for key in ("document", "summary")}
    words = ["zebra", "yodel"]
    found = [
        reading.reworded(
            *(row, made, words, {"curious", "things"}, random.Random(seed))
        )
        for seed in range(20)
    ]
    found = [one for one in found if one]
    assert len(found) > 10
    for one in found:
        assert one["document"] != made["document"]
        line = one["summary"].strip(" .").lower()
        assert line in one["document"].lower()
        assert "curious things" not in line
        assert len(line.split()) > 2 if form == "page" else True
    assert len({one["document"] for one in found}) > 5


def test_a_description_with_another_line_gets_the_title_of_its_beginning():
    row = {"form": "description", "id": "frob", "document": FIRST}
    made = {"document": FIRST, "summary": "Wholly different matters."}
    row["summary"] = made["summary"]
    expected = leads.title_of(FIRST, "frob").strip()
    arguments = (["curious"], {"curious"}, random.Random(1))
    found = [reading.reworded(row, made, *arguments) for _ in range(30)]
    lines = {one["summary"].strip() for one in found if one}
    assert expected in lines
    assert all(line.endswith("things") for line in lines)


@pytest.mark.parametrize("titled", [False, True])
def test_a_line_that_the_text_does_not_say_gives_way_to_the_title(titled):
    lines = "Wholly different matters.", "Lists curious things."
    rows = [
        {"form": "readme", "id": "frob", "document": FIRST, "summary": line}
        for line in lines
    ]
    mix = reading.Mix({"readme": 2}, {"readme": 0.0}, titled=titled)
    found = {row["summary"].strip().lower() for row in mix.rows(rows, 0)}
    other = leads.title_of(FIRST, "frob").strip() if titled else lines[0]
    assert found == {other.lower(), lines[1].lower()}


@pytest.mark.parametrize(
    ("form", "characters", "near"),
    [
        ("readme", 20, False),
        ("readme", 80, True),
        ("page", 30, False),
        ("page", 200, True),
        ("description", 1, True),
    ],
)
def test_the_line_to_find_is_near(form, characters, near):
    row = {"form": form, "document": LINES[form], "summary": "Curious things."}
    assert reading.is_near(row, characters) == near
    mix = reading.MORE._replace(counts={form: 3}, near=characters)
    rows = [{**row, "id": "frob"}, {**row, "id": "frob"}]
    found = list(mix.rows(rows, 0)) if near else []
    assert all(len(one["document"]) <= characters for one in found)


def test_text_without_words_to_replace_stays():
    row = {"form": "readme", "id": "frob", "document": "It is."}
    made = {"document": "It is.", "summary": "It is."}
    words = ["zebra"]
    assert (
        reading.reworded(row, made, words, {"zebra"}, random.Random(0)) is None
    )


def test_made_up_words_are_among_the_words():
    words = ["abcdef", "uvwxyz"]
    generator = random.Random(0)
    found = {reading.any_word(words, generator) for _ in range(200)}
    assert found == {"abcdef", "uvwxyz", "abcdxyz", "abcddef"} | {
        "uvwxdef",
        "uvwxxyz",
    }


def test_texts_come_again_where_there_are_too_few():
    rows = [{"form": "raw", "id": n} for n in range(3)]
    rows += [{"form": "readme", "id": n} for n in range(5)]
    found = reading.repeated(rows, {"raw": 8, "readme": 2}, random.Random(0))
    raw = [row["id"] for row in found if row["form"] == "raw"]
    assert sorted(map(raw.count, range(3))) == [2, 3, 3]
    readmes = [row["id"] for row in found if row["form"] == "readme"]
    assert len(set(readmes)) == len(readmes) == 2


@pytest.mark.parametrize(
    "mix",
    [stage.rows.__self__ for stage in (*stages.READING, *stages.LAST_READING)],
)
def test_a_stage_has_its_rows_and_is_the_same_for_a_seed(mix):
    mix = mix._replace(counts=dict.fromkeys(mix.counts, 20))
    found = list(mix.rows(forms(), 3))
    assert len(found) == 20 * len(mix.counts)
    assert found == list(mix.rows(forms(), 3))
    assert found != list(mix.rows(forms(), 4))


def test_whole_texts_are_not_cut():
    rows = [
        {
            "form": form,
            "id": "frob",
            "document": LINES[form] + " more" * 3000,
            "summary": "Curious things.",
        }
        for form in LINES
    ]
    lengths = [len(row["document"]) for row in reading.WHOLE.rows(rows, 0)]
    assert min(lengths) > 3000 * 4
    few = reading.READ._replace(counts=dict.fromkeys(LINES, 5))
    cut = [len(row["document"]) for row in few.rows(rows, 0)]
    assert max(cut) <= reading.LONGEST + 200


@pytest.mark.parametrize(
    ("line", "text", "found"),
    [
        ("List things.", "NAME\n  frob - list things\n", " list things."),
        ("List things.", "It can list.\n> List\nthings", " List things."),
        ("List things.", "a list; LIST things", " LIST things."),
        ("Frob it.", "# X\n\nfrob it now", "frob it."),
        ("List all things.", "It can list all of it.", None),
    ],
)
def test_a_line_begins_as_the_words_are_spelt_in_the_text(line, text, found):
    assert reading.as_copied(line, text) == found

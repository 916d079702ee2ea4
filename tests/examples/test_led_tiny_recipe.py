"""The parts of the recipe of `led-tiny` that are neither data nor training."""

import itertools
import random

import keras
import numpy as np
import pytest

from examples.led_tiny import card
from examples.led_tiny import leads
from examples.led_tiny import packages
from examples.led_tiny import pretraining
from examples.led_tiny import remembering
from examples.led_tiny import stages
from examples.led_tiny import swapping
from examples.led_tiny.start import make_model
from keras_led import LEDTokenizer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="the recipe prepares the same on every backend",
)

MANY = "many " * 11
PAGE = {
    "document": "frob(1)\n"
    + "\n".join(
        f"The frob program frobs thing number {i}. It reads file {i} first."
        for i in range(40)
    )
}


def test_rows_are_the_same_for_the_same_seed():
    first, again = (list(pretraining.rows([PAGE], 3)) for _ in range(2))
    assert first == again
    assert first != list(pretraining.rows([PAGE], 4))
    assert len(first) == pretraining.PIECES_PER_PAGE


def test_a_target_is_a_run_of_the_text_without_masks():
    for row in pretraining.rows([PAGE] * 20, 0):
        title, _, text = row["document"].partition("\n")
        assert title == "frob(1)"
        assert len(text) < 2 * pretraining.PIECE_CHARACTERS
        assert pretraining.MASK not in row["summary"]
        assert len(row["summary"]) <= pretraining.TARGET_CHARACTERS
        place = row["summary"].split("\n")[0]
        assert place in PAGE["document"]


def test_a_tenth_of_the_words_is_masked():
    texts = [row["document"] for row in pretraining.rows([PAGE] * 200, 0)]
    words = " ".join(texts).split()
    share = words.count(pretraining.MASK) / len(words)
    assert abs(share - pretraining.MASKED) < 0.02


def test_swapped_words_change_alike_in_page_and_description():
    page = {
        "document": "Frobs Files. It frobs a file; profiles stay.",
        "summary": "frob a file",
    }
    swapped = swapping.swap_words(page, ["file", "socket"], AlwaysLast())
    assert swapped == {
        "document": "Frobs Sockets. It frobs a socket; profiles stay.",
        "summary": "frob a socket",
    }
    assert swapping.swap_words(page, ["thing"], AlwaysLast()) is None


def test_each_page_comes_as_it_is_and_with_other_words():
    names = ["".join(letters) for letters in itertools.permutations("frobs")]
    pages = [
        {"document": f"It {name}s.", "summary": f"{name}s"}
        for name in names[:60] * 4
    ]
    found = list(swapping.rows(pages, 0))
    assert found == list(swapping.rows(pages, 0))
    assert len(pages) < len(found) <= 2 * len(pages)
    assert all(page in found for page in pages)


def test_a_lead_is_the_sentence_that_the_description_begins_with():
    text = "frob(1)\nSYNOPSIS\nfrob FILE\nDESCRIPTION\nFrobs a file. And so on."
    assert leads.lead_of(text) == "Frobs a file."
    assert leads.lead_of("frob\nSYNOPSIS\nfrob FILE") is None
    assert leads.lead_of("frob\nDESCRIPTION\nFrobs.") is None
    many = " ".join(f"word{i}" for i in range(30))
    pages = [
        {"document": document, "summary": "frob a file"}
        for document in (text, "frob", f"frob\nDESCRIPTION\n{many}")
    ]
    first, second = leads.rows(pages, 0)
    assert first == {"document": text, "summary": "Frobs a file."}
    assert second["summary"] == " ".join(many.split()[: leads.MOST])


@pytest.mark.parametrize(
    ("lead", "title"),
    [
        ("The frob_a utility is used to list all files.", " list all files."),
        ("frob_a(1) lists all files, one a line.", " lists all files"),
        ("This function returns a file that is open.", " returns a file"),
        ("Frob a is an archive of files (or none).", " archive of files"),
        ("Lists all files, one a line.", "Lists all files"),
        ("Lists all of it.", "Lists all of it."),
    ],
)
def test_a_title_is_what_a_sentence_says_of_its_subject(lead, title):
    assert leads.title_of(lead, "frob_a, frob") == title
    page = {"document": f"frob_a, frob\nDESCRIPTION\n{lead}", "summary": "x"}
    (row,) = leads.title_rows([page], 0)
    assert row == {"document": page["document"], "summary": title}


@pytest.mark.parametrize(
    ("lead", "title"),
    [
        (
            "The frob_a utility is used to list all files.",
            "The frob_a utility is used to list all files.",
        ),
        (
            "frob_a(1) lists many old files, one a line.",
            " lists many old files",
        ),
        (
            "Frob a is an archive of files (or none).",
            " archive of files (or none).",
        ),
        ("Tool to list all files.", "Tool to list all files."),
        (f"Lists {MANY}files of the year 1999.", f"Lists {MANY}files"),
        ("It is an [npm-url] of many files.", None),
    ],
)
def test_a_title_ends_where_a_phrase_does(lead, title):
    assert leads.phrase_title_of(lead, "frob_a, frob") == title


@pytest.mark.parametrize(
    ("summary", "found"),
    [
        ("List all files.", " list all files."),
        ("list all files", " list all files"),
        ("Files.", "Files."),
        ("List-like", "List-like"),
        ("GNU list", "GNU list"),
        ("Frobs it", "Frobs it"),
    ],
)
def test_a_description_begins_as_the_page_has_its_first_word(summary, found):
    assert remembering.as_in_page(summary, "It will list GNU files.") == found


def test_a_page_to_remember_is_as_it_is_and_one_to_read_is_not():
    names = ["".join(letters) for letters in itertools.permutations("frobs")]
    pages = [
        {
            "document": f"it\nDESCRIPTION\nIt {name}s all of the files.",
            "summary": f"{name}s files",
        }
        for name in names[:60] * 4
    ]
    found = list(remembering.rows([*pages, {**PAGE, "summary": "x"}], 0))
    whole = [row for row in found if row["summary"].endswith(" files")]
    read = [row for row in found if row["summary"].endswith(" the files.")]
    assert len(found) == len(whole) + len(read) + 1
    assert [row["document"] for row in whole] == [p["document"] for p in pages]
    assert whole[0]["summary"] == f" {names[0]}s files"
    assert len(read) > 100
    reworded = 0
    for before, row in itertools.pairwise(found):
        if row in read:
            assert row["summary"].strip() in row["document"]
            reworded += row["document"] != before["document"]
    assert reworded > 0.9 * len(read)  # chance may choose the same word


class AlwaysLast(random.Random):
    """Draws what makes every word change, to the last of the list."""

    def random(self):
        return 0.0

    def choice(self, values):
        return values[-1]


def test_a_fresh_model_copies_what_follows_the_words_it_has_written():
    tokenizer = LEDTokenizer.train(["frob the file"], 261)
    shape = {**stages.SHAPE, "max_encoder_position_embeddings": 128}
    model = make_model(tokenizer, 0, **shape)
    generator = np.random.default_rng(1)
    text = np.stack([generator.permutation(250)[:96] + 5 for _ in range(4)])
    # Any words, then a run of the text: from its third word on it is copied.
    begin = np.arange(20, 60, 10)
    run = np.stack(
        [row[at : at + 12] for row, at in zip(text, begin, strict=True)]
    )
    output = model(
        {"input_ids": text, "decoder_input_ids": run[:, :-1]}, training=False
    )
    written = keras.ops.convert_to_numpy(output.logits).argmax(axis=-1)
    np.testing.assert_array_equal(written[:, 1:], run[:, 2:])


def test_the_card_lists_scores_and_sources():
    first, second = packages.read()[:2]
    scores = {"9 pages": dict(zip(card.SYSTEMS, (1.26, 2, 3, 4), strict=False))}
    counts = {first.name: 30, second.name: 12}
    forms = {"raw": 7001, "description": 8001, "readme": 9001}
    text = card.render(scores, counts, forms, 5_841_344, 4096)
    assert "| 9 pages | 1.3 | 2.0 | 3.0 | 4.0 |" in text
    assert "(8,001)" in text
    assert "5.8 million weights" in text
    assert "42 manual pages" in text
    assert "from 2 packages" in text
    assert f"| {first.name} | {first.version} | {first.license} | 30 |" in text

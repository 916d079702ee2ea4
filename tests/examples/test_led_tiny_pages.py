"""The data of `led-tiny`: from a rendered page to a row, by hand."""

import itertools

import keras
import pytest

from examples.led_tiny import cleaning
from examples.led_tiny import pages
from examples.led_tiny import rows
from examples.led_tiny.packages import Package
from examples.led_tiny.pages import Section
from examples.led_tiny.pages import Unusable

if keras.backend.backend() != "torch":
    pytest.skip("no backend takes part", allow_module_level=True)

PACKAGE = Package("fishing", "1.2-3", "MIT")
RENDERED = """\
CATCH(1)                   General Commands                   CATCH(1)

NAME
       catch, catch-net \u2013 take fish out of a stream

SYNOPSIS
       catch [-n net]
   ----------

DESCRIPTION
       This  program waits.  The programs catch and catch-net take fish
       out of a stream.\u00a0It has \u201cmanners\u201d.

       See  <https://fish.example/net>.

SEE ALSO
       whale(1)

fishing 1.2                       May 1, 2001                 CATCH(1)
"""


@pytest.mark.parametrize(
    ("source", "link"),
    [
        (b".so man1/catch.1\n", True),
        (b'.\\" by hand\n\'\\" t\n.\n\n.so man1/catch.1\n', True),
        (b".TH CATCH 1\n.so man1/catch.1\n", False),
        (b".sorry\n", False),
        (b"", False),
    ],
)
def test_a_page_of_one_redirection_is_a_link(source, link):
    assert pages.is_link(source) is link


def test_sections_of_a_rendered_page():
    assert pages.sections(RENDERED) == [
        Section("NAME", ["catch, catch-net - take fish out of a stream"]),
        Section("SYNOPSIS", ["catch [-n net]"]),
        Section(
            "DESCRIPTION",
            [
                "This program waits. The programs catch and catch-net take "
                "fish",
                'out of a stream. It has "manners".',
                "See <https://fish.example/net>.",
            ],
        ),
        Section("SEE ALSO", ["whale(1)"]),
    ]


def test_addresses_and_rules_are_shortened():
    text = "Ask <a.b+c@fish.example> or http://x.example/a?b=1, ftp://y.z.\n"
    hidden = "Ask [email] or [url] [url]\n"
    assert pages.hide_addresses(text) == hidden
    assert pages.hide_addresses("a@b ---- ---  ******") == "a@b --- ---  ***"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ls - list files"], ("ls", "list files")),
        (["a, b -- one", "and two"], ("a, b", "one and two")),
        (["a, b,", "c(3) -x"], ("a, b, c(3)", "x")),
    ],
)
def test_name_is_read(lines, expected):
    assert pages.name_of([Section("Name", lines)]) == expected


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ([Section("USAGE", ["a - b"])], "no NAME section"),
        ([Section("NAME", ["a"])], "not one entry"),
        ([Section("NAME", ["a - b", "c - d"])], "not one entry"),
        ([Section("NAME", ["Nets, and more!", "a - b"])], "not one entry"),
    ],
)
def test_other_names_are_refused(sections, reason):
    with pytest.raises(Unusable, match=reason):
        pages.name_of(sections)


@pytest.mark.parametrize(
    ("heading", "aside"),
    [
        ("SEE ALSO", True),
        ("Author of this", True),
        ("COPYRIGHT AND LICENSE", True),
        ("APPENDIX: KNOWN BUGS", True),
        ("BUGS", False),
        ("AUTHORITY", False),
        ("SOURCES OF ERROR", False),
    ],
)
def test_asides_are_known_by_their_headings(heading, aside):
    assert cleaning.is_aside(heading) is aside


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("take  fish ", "Take fish."),
        ("- list files...", "List files."),
        ("ls(1) for fish", "ls(1) for fish."),
        ("iOS tools.", "iOS tools."),
        (" -", ""),
    ],
)
def test_a_description_becomes_a_sentence(description, sentence):
    assert cleaning.as_sentence(description) == sentence


def test_what_a_package_says_everywhere_is_cut():
    description = "Show block I/O. Uses Linux eBPF/bcc."
    made = cleaning.summary_of(description, "biotop", "bpfcc-tools")
    assert made == "Show block I/O."
    made = cleaning.summary_of(description, "biotop", "fishing")
    assert made == "Show block I/O. Uses Linux eBPF/bcc."


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("list files", "too short"),
        ("list " * 41, "too short or too long"),
        ("word" * 74 + " is long", "too short or too long"),
        ("a+b=c <=> {a} = {c}-{b}", "says nothing"),
        ("manual page for the net", "says nothing"),
        ("documentation of all the nets", "says nothing"),
        ("the catching of a fish net", "repeats the title"),
    ],
)
def test_empty_summaries_are_refused(description, reason):
    with pytest.raises(Unusable, match=reason):
        cleaning.summary_of(description, "catching, fishNet", "fishing")


def test_a_long_summary_just_fits():
    assert cleaning.summary_of("list " * 40, "x", "fishing").count("ist") == 40


def longest_common(first, second):
    """The definition: the longest choice of `first` that `second` holds."""
    for size in range(len(first), 0, -1):
        for choice in itertools.combinations(first, size):
            rest = iter(second)
            if all(word in rest for word in choice):
                return size
    return 0


def test_common_words_are_those_of_the_definition():
    texts = ["", "a", "ab", "abcabba", "cbabac", "bbbb", "xyzzy", "azbzcz"]
    for first, second in itertools.product(texts, repeat=2):
        found = cleaning.common_words(list(first), list(second))
        assert found == longest_common(first, second), (first, second)


SUMMARY = "Take many fish out of a stream."


@pytest.mark.parametrize(
    ("line", "left"),
    [
        # The whole summary, whatever stands around it.
        (
            "It waits. It can take many fish out of a stream or a net.",
            "It waits.",
        ),
        # Six of its seven words in seven: F1 is 0.86.
        ("Take some fish out of a stream! It waits.", "It waits."),
        # Five of seven: 0.71.
        (
            "Take some fish out of your stream.",
            "Take some fish out of your stream.",
        ),
        ("Streams have many fish.", "Streams have many fish."),
    ],
)
def test_sentences_that_repeat_the_summary_are_cut(line, left):
    kept, cuts = cleaning.without_leaks([line], SUMMARY)
    assert kept == [left]
    assert cuts == (line != left)


def test_only_the_whole_summary_is_cut_further_down():
    lines = ["word " * 300, "Take some fish out of a stream.", SUMMARY]
    kept, cuts = cleaning.without_leaks(lines, SUMMARY)
    assert (len(kept), cuts) == (2, 1)
    kept, cuts = cleaning.without_leaks(["word " * 299, *lines[1:]], SUMMARY)
    assert (len(kept), cuts) == (1, 2)


def test_document_has_what_is_about_the_subject():
    sections = pages.sections(pages.hide_addresses(RENDERED))
    sections.append(Section("FISH", [SUMMARY]))
    document, cuts = cleaning.document_of(sections, "catch", SUMMARY)
    assert document.splitlines() == [
        "catch",
        "SYNOPSIS",
        "catch [-n net]",
        "DESCRIPTION",
        "This program waits. The programs catch and catch-net take fish",
        'out of a stream. It has "manners".',
        "See [url].",
    ]
    assert cuts == 1


def test_tables_and_other_encodings_are_refused():
    dump = [Section("DUMP", ["0123456789abcdef" * 3] * 5)]
    with pytest.raises(Unusable, match="not prose"):
        cleaning.document_of(dump, "x", SUMMARY)
    wrong = [Section("TEXT", ["caf\ufffd is open"] * 6)]
    with pytest.raises(Unusable, match="unreadable"):
        cleaning.document_of(wrong, "x", SUMMARY)


def test_row_of_a_page(monkeypatch):
    long = RENDERED.replace("SEE ALSO", "   More. " + "net " * 100 + "\nGIT")
    monkeypatch.setattr(pages, "render", lambda source: long)
    row = rows.row_of(PACKAGE, "Catch.1", b".TH CATCH 1")
    assert (row.id, row.page) == ("fishing:Catch(1)", "catch")
    assert row.title == "catch, catch-net"
    assert row.summary == "Take fish out of a stream."
    assert row.subject == "take fish out of a stream"
    assert row.document.endswith("More. " + "net " * 99 + "net")
    assert list(row.as_json()) == [
        *("id", "title", "document", "summary"),
        *("source_package", "source_version", "license_hint", "cluster"),
    ]
    with pytest.raises(Unusable, match="link"):
        rows.row_of(PACKAGE, "catch.1", b".so man1/net.1")
    with pytest.raises(Unusable, match="a licence"):
        rows.row_of(PACKAGE, "perlgpl.1", b".TH GPL 1")


def test_documents_stay_within_limits(monkeypatch):
    monkeypatch.setattr(rows, "MIN_WORDS", 3)
    monkeypatch.setattr(rows, "MAX_WORDS", 5)
    assert rows.within_limits("a b\nc") == "a b\nc"
    assert rows.within_limits("a b\nc  d e f") == "a b\nc  d e"
    with pytest.raises(Unusable, match="too short"):
        rows.within_limits("a b")

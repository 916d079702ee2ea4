"""From the sections of a manual page to a document and its summary.

The summary is the description in the page's NAME section, and the document is
the rest of the page, without what would give the summary away and without
what says nothing about the subject.
"""

import re

from examples.led_tiny.pages import Unusable

SUMMARY_WORDS = range(3, 41)
SUMMARY_CHARACTERS = 300
# A page may describe dozens of functions; its title names so many.
TITLE_NAMES = 4
# A sentence near the beginning that has this F1 with the summary repeats it.
SAME_SENTENCE = 0.75
# How far a section is searched for such sentences, in words.
BEGINNING = 300
# A summary of other signs is a formula or a piece of code.
PLAIN_SHARE = 0.85
UNREADABLE_SIGNS = 5
# Characters a word, on average: more are tables and dumps.
LONG_WORDS = 10

WORD = re.compile(r"[a-z0-9]+")
SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+")
CASE_CHANGE = re.compile(r"([a-z])([A-Z])")
LOWER_CASE_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*[,;:']?")
PLAIN_SIGN = re.compile(r"[A-Za-z0-9 ,.'()/-]")

SMALL_WORDS = frozenset(
    "a an and are as at be by for from in into is it its of on or that the "
    "this to with".split()
)
# Sections about people, rights and the software's whereabouts.
ASIDES = frozenset(
    [
        *("acknowledgement", "acknowledgements"),
        *("acknowledgment", "acknowledgments"),
        *("author", "authors", "maintainer", "maintainers"),
        *("contributor", "contributors", "credit", "credits"),
        *("translator", "translators", "translation"),
        *("bug report", "bug reports", "reporting problems"),
        *("mailing list", "mailing lists", "support", "feedback"),
        *("availability", "download", "git", "source", "sources"),
        *("see also", "related", "resources", "linkage"),
        *("colophon", "version"),
    ]
)
ASIDE_BEGINNINGS = (
    *("author ", "authors ", "contact", "debian"),
    *("copyright", "legal", "licence", "license"),
    *("report bugs", "reporting bugs"),
)
# Beginnings of summaries that say nothing about the page.
EMPTY_BEGINNINGS = (
    *("manual page for", "see ", "part of ", "description of"),
    *("no description", "undocumented", "todo", "fixme"),
    *("internal", "unsupported", "api function"),
    *("alias for ", "alias of ", "alias to "),
    *("object method for", "object methods for"),
)
EMPTY = re.compile(r"documentation (?:for|of|on)\b.{,20}")
# What every page of a package says at the end of its description.
ENDINGS = {
    "allegro4-doc": re.compile(r"\. Allegro game programming library\.?$"),
    "bpfcc-tools": re.compile(r"\. Uses Linux eBPF(?:/bcc)?\.?$"),
    # Words for an index.
    "libmotif-dev": re.compile(r' ".*$'),
}


def words(text):
    """The words of a text: runs of ASCII letters and digits, lower case."""
    return WORD.findall(text.lower())


def short_title(names):
    """The first `TITLE_NAMES` of the names of a page, a str."""
    return ", ".join(names.split(", ")[:TITLE_NAMES])


def is_aside(heading):
    """Whether a section is about something else than the page's subject."""
    heading = heading.lower()
    return (
        heading in ASIDES
        or heading.startswith(ASIDE_BEGINNINGS)
        or (heading.startswith("appendix") and "bugs" in heading)
    )


def as_sentence(description):
    """Gives a description a capital and a full stop, where it has words."""
    text = " ".join(description.split()).strip(" -:;,'`").rstrip(" .")
    # `iOS` and `ls(1)` keep their small letter.
    if LOWER_CASE_WORD.fullmatch(text.partition(" ")[0]):
        text = text[0].upper() + text[1:]
    return text and text + "."


def summary_of(description, title, package):
    """Makes the summary of a page, or says why there is none.

    Args:
        description: str, from the NAME section.
        title: str, the names of the page.
        package: str, name of the package.

    Returns:
        str, one sentence.

    Raises:
        Unusable: If the sentence is too short, too long, or says nothing that
            the title does not.
    """
    if package in ENDINGS:
        description = ENDINGS[package].sub("", description)
    summary = as_sentence(description)
    found = words(summary)
    if len(found) not in SUMMARY_WORDS or len(summary) > SUMMARY_CHARACTERS:
        raise Unusable("summary too short or too long")
    start = summary.lower()
    if (
        len(PLAIN_SIGN.findall(summary)) < PLAIN_SHARE * len(summary)
        or start.startswith(EMPTY_BEGINNINGS)
        or EMPTY.fullmatch(start)
    ):
        raise Unusable("summary says nothing")
    # `XtAppMainLoop` counts as one word and as four.
    known = set(words(title) + words(CASE_CHANGE.sub(r"\1 \2", title)))
    if known.union(SMALL_WORDS).issuperset(found):
        raise Unusable("summary only repeats the title")
    return summary


def common_words(first, second):
    """Length of the longest common subsequence of two lists.

    Bit `i` of `open_places` is 0 once a common subsequence has grown at place
    `i` of `first`; an addition carries each growth to the next free place.

    Source:
        Crochemore et al., 2001, "A fast and practical bit-vector algorithm
        for the longest common subsequence problem", section 2.
    """
    places = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    everything = (1 << len(first)) - 1
    open_places = everything
    for word in second:
        hits = open_places & places.get(word, 0)
        open_places = (open_places + hits | open_places - hits) & everything
    return len(first) - open_places.bit_count()


def repeats(sentence, summary):
    """Whether two lists of words are the same but for a few words."""
    if not 2 < len(sentence) <= 3 * len(summary):
        return False
    common = common_words(sentence, summary)
    return 2 * common / (len(sentence) + len(summary)) >= SAME_SENTENCE


def holds(sentence, summary):
    """Whether a list of words has another one in it, without a gap."""
    return f" {' '.join(summary)} " in f" {' '.join(sentence)} "


def without_leaks(lines, summary):
    """Cuts out of a section the sentences that repeat the summary.

    These are the sentences with the whole summary in them and, among the
    first `BEGINNING` words, those that are nearly the summary. A paraphrase
    stays: to find it is the task.

    Args:
        lines: list of str, the paragraphs of a section.
        summary: str.

    Returns:
        The list of what is left of the paragraphs, and how many sentences
        were cut, an int.
    """
    target = words(summary)
    kept, cuts, position = [], 0, 0
    for line in lines:
        sentences = []
        for sentence in SENTENCE_BREAK.split(line):
            found = words(sentence)
            near = position < BEGINNING and repeats(found, target)
            position += len(found)
            if near or holds(found, target):
                cuts += 1
            else:
                sentences.append(sentence)
        if sentences:
            kept.append(" ".join(sentences))
    return kept, cuts


def document_of(sections, title, summary):
    """Joins what is worth reading to a document.

    Args:
        sections: list of `Section`, the whole page.
        title: str, which becomes the first line.
        summary: str.

    Returns:
        The document, a str with a heading or a paragraph a line, and how many
        sentences were cut because they repeat the summary, an int.

    Raises:
        Unusable: If the text cannot be read or is not made of words.
    """
    lines, cuts = [title], 0
    for section in sections:
        if section.heading.upper() == "NAME" or is_aside(section.heading):
            continue
        kept, cut = without_leaks(section.lines, summary)
        cuts += cut
        if kept:
            lines += [section.heading, *kept]
    document = "\n".join(lines)
    if document.count("\ufffd") > UNREADABLE_SIGNS:
        raise Unusable("unreadable encoding")
    if len(document) > LONG_WORDS * len(document.split()):
        raise Unusable("not prose")
    return document, cuts

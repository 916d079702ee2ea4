"""From the source of a manual page to its sections, as plain text.

`mandoc` draws a page for a terminal. What comes back here is simpler: the
headings, and below each its paragraphs, one a line, without layout.
"""

import dataclasses
import re
import subprocess

# A paragraph of up to so many characters stays on one line.
WIDTH = 1000
HEADING_WIDTH = 100
# What mandoc exits with when it could not run, as against a page at fault.
MANDOC_FAILED = 5

# Addresses name people and places, not what a page is about.
WEB = re.compile(r"<?\b(?:https?|ftp)://[^\s<>\"')\]]+>?")
MAIL = re.compile(r"<?[\w.+-]+@[\w-]+(?:\.[\w-]+)+>?")
# Bold and underlined characters are printed, rubbed out and printed again.
OVERSTRIKE = re.compile(r".\x08")
LONG_RULE = re.compile(r"([-_=*.#~+])\1{3,}")
ONLY_A_RULE = re.compile(r"\s*[-=_\u2500-\u257f]{3,}")
SPACES = re.compile(r"\s+")

SPELLINGS = {
    "'": "\u2018\u2019\u201a\u00b4",
    '"': "\u201c\u201d\u201e",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "*": "\u2022\u00b7",
    "...": "\u2026",
    "->": "\u2192",
    "<-": "\u2190",
    "<=": "\u2264",
    ">=": "\u2265",
    "!=": "\u2260",
    # No-break spaces, and the lines and blocks that tables are drawn with.
    " ": "\u00a0" + "".join(map(chr, range(0x2500, 0x25A0))),
    # Soft hyphens and spaces without a width.
    "": "\u00ad\u200b",
}
TO_ASCII = str.maketrans(
    {fancy: plain for plain, all_ in SPELLINGS.items() for fancy in all_}
)

NAMES = re.compile(r"[\w:.()+-]+(?:,? [\w:.()+-]+)*,?")
NAME_ENTRY = re.compile(r"(.+?)\s+--?\s*(\S.*)")


class Unusable(ValueError):
    """Raised for a page that makes no row; its text is the reason."""


@dataclasses.dataclass
class Section:
    """A heading, and the list of lines (str) below it."""

    heading: str
    lines: list


def is_link(source):
    """Whether the source (bytes) says no more than `.so`, "see that file"."""
    for line in source.splitlines():
        words = line.split()
        if words and words[0] not in (b".", b"'"):
            comment = words[0].startswith((b'.\\"', b"'\\\""))
            if not comment:
                return words[0] == b".so"
    return False


def render(source):
    """Lets mandoc draw a page.

    Args:
        source: bytes, the page in the language of `man` or `mdoc`.

    Returns:
        str, the text without bold, underlining, web and mail addresses.

    Raises:
        RuntimeError: If mandoc cannot run.
    """
    result = subprocess.run(
        ["mandoc", "-T", "utf8", "-O", f"width={WIDTH}"],
        input=source,
        capture_output=True,
        cwd="/",
    )
    if result.returncode < 0 or result.returncode >= MANDOC_FAILED:
        raise RuntimeError(
            f"mandoc must render every page. Received: returncode="
            f"{result.returncode}, {result.stderr.decode(errors='replace')}"
        )
    text = result.stdout.decode("utf-8", errors="replace")
    return hide_addresses(OVERSTRIKE.sub("", text))


def hide_addresses(text):
    """Puts `[url]` and `[email]` for addresses and shortens long rules."""
    text = MAIL.sub("[email]", WEB.sub("[url]", text))
    return LONG_RULE.sub(lambda rule: 3 * rule[1], text)


def plain(line):
    """One line of text in ASCII spelling, with single spaces."""
    return SPACES.sub(" ", line.translate(TO_ASCII)).strip()


def sections(text):
    """Takes a rendered page apart.

    Args:
        text: str, as `render` returns it: the first and the last line are the
            page's header and footer.

    Returns:
        List of `Section`. Lines without a word are left out.
    """
    found = []
    for line in text.rstrip().split("\n")[1:-1]:
        line = line.rstrip()
        if not line or ONLY_A_RULE.fullmatch(line):
            continue
        if line[0] not in " \t" and len(line) < HEADING_WIDTH:
            found.append(Section(line.strip(), []))
        elif found:
            line = plain(line)
            if re.search(r"\w", line):
                found[-1].lines.append(line)
    return found


def name_of(found):
    """Reads the NAME section, `names - what they are for`.

    Args:
        found: list of `Section`.

    Returns:
        Pair of str: the names, with commas between, and the description.

    Raises:
        Unusable: If there is no such section or it is not one entry.
    """
    for section in found:
        if section.heading.upper() == "NAME":
            break
    else:
        raise Unusable("no NAME section")
    entries = list(map(NAME_ENTRY.fullmatch, section.lines))
    places = [place for place, entry in enumerate(entries) if entry]
    # Many names may take several lines; whatever else they say is not one.
    if len(places) != 1 or not all(
        map(NAMES.fullmatch, section.lines[: places[0]])
    ):
        raise Unusable("NAME is not one entry")
    place = places[0]
    last_names, description = entries[place].groups()
    names = " ".join([*section.lines[:place], last_names]).strip(" ,")
    return names, " ".join([description, *section.lines[place + 1 :]])

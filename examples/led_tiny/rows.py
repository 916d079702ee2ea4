"""From the source of a manual page to a row of the data set."""

import dataclasses
import gzip
import re

from examples.led_tiny import cleaning
from examples.led_tiny import pages
from examples.led_tiny.pages import Unusable

MIN_WORDS = 100
MAX_WORDS = 20000
# Pages that are licences themselves.
LICENCES = frozenset({"perlartistic", "perlgpl"})


@dataclasses.dataclass
class Row:
    """A page as a document and its summary.

    Args:
        id: str, `package:page(section)`.
        title: str, the names of the page, also the document's first line.
        document: str, a heading or a paragraph a line.
        summary: str, one sentence.
        source_package: str.
        source_version: str.
        license_hint: str, of the package.
        cluster: int, the same for pages that are related, and so may not be
            in different splits.
        leaks: int, sentences of the page that repeated the summary.
    """

    id: str
    title: str
    document: str
    summary: str
    source_package: str
    source_version: str
    license_hint: str
    cluster: int = -1
    leaks: int = 0

    @property
    def page(self):
        """The name of the page's file, in lower case, without a section."""
        return self.id.partition(":")[2].rpartition("(")[0].lower()

    @property
    def subject(self):
        """The words of the summary, without those of the title."""
        own = set(cleaning.words(self.title))
        found = cleaning.words(self.summary)
        return " ".join(word for word in found if word not in own)

    def as_json(self):
        """What a file of the data set holds of the row: a dict."""
        fields = dataclasses.asdict(self)
        del fields["leaks"]
        return fields


def row_of(package, filename, source):
    """Makes a row of a manual page.

    Args:
        package: `packages.Package` that the page is from.
        filename: str, such as `ls.1` or `ls.1.gz`.
        source: bytes, what is in the file.

    Returns:
        `Row`, not yet in a cluster.

    Raises:
        Unusable: If the page makes no row; the text of the error says why.
    """
    if filename.endswith(".gz"):
        filename, source = filename[:-3], gzip.decompress(source)
    page, _, section = filename.rpartition(".")
    if page in LICENCES:
        raise Unusable("a licence")
    if pages.is_link(source):
        raise Unusable("link to another page")
    found = pages.sections(pages.render(source))
    names, description = pages.name_of(found)
    title = cleaning.short_title(names)
    summary = cleaning.summary_of(description, title, package.name)
    document, leaks = cleaning.document_of(found, title, summary)
    return Row(
        id=f"{package.name}:{page}({section})",
        title=title,
        document=within_limits(document),
        summary=summary,
        source_package=package.name,
        source_version=package.version,
        license_hint=package.license,
        leaks=leaks,
    )


def within_limits(document):
    """Cuts a document behind `MAX_WORDS`.

    Raises:
        Unusable: If it has fewer than `MIN_WORDS`.
    """
    ends = [word.end() for word in re.finditer(r"\S+", document)]
    if len(ends) < MIN_WORDS:
        raise Unusable("document too short")
    return document[: ends[:MAX_WORDS][-1]]

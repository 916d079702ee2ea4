"""What pages of docs/ print, and what they say that they print."""

import runpy

from tests.docs.conftest import ROOT

_script = runpy.run_path(str(ROOT / "docs" / "site" / "write_results.py"))
BLOCK = _script["BLOCK"]


def run_page(page):
    """Runs the Python of a page; each block that prints must show a result.

    The results themselves are led-tiny's, and the tests run smaller models.

    Args:
        page: str, its path in docs/.

    Returns:
        List of str, what each block printed, and a dict of the page's names.
    """
    text = (ROOT / "docs" / page).read_text("utf-8")
    found, names = _script["run"](page, text)
    shown = [result is not None for _, result in found]
    assert [bool(out) for out, _ in found] == shown, page
    return [out for out, _ in found], names

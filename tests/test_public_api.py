"""The public API changes on purpose only."""

from tests.public_api import LISTING
from tests.public_api import describe


def test_the_public_api_is_the_one_written_down():
    """After a change on purpose, run `python tests/public_api.py`."""
    written = LISTING.read_text(encoding="utf-8").splitlines()
    found = list(describe())
    assert [line for line in found if line not in written] == []
    assert [line for line in written if line not in found] == []
    assert found == written

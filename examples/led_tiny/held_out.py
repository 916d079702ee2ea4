"""Packages that no training text comes from, whatever its form.

`held_out.sha1` lists a hundredth or so of the packages of Debian 12 by the
SHA-1 of their names. Their descriptions, READMEs and pages are what `led-tiny`
is tested on, beside the pages of `packages.UNSEEN`.
"""

import functools
import hashlib
from pathlib import Path

from examples.led_tiny import packages

TABLE = Path(__file__).with_name("held_out.sha1")
# How Debian names the packages of npm, PyPI and crates.
PREFIXES = ("", "node-", "python3-", "librust-", "lib")


@functools.cache
def digests():
    """The SHA-1 of each name, a set of str."""
    return frozenset(TABLE.read_text("utf-8").split())


def is_listed(name):
    """Whether a package's own name is on the list."""
    return hashlib.sha1(name.encode()).hexdigest() in digests()


def is_held_out(name):
    """Whether a package may only be tested on.

    Args:
        name: str, of a package of Debian, npm or PyPI.

    Returns:
        bool; `True` as well where Debian's package of it is held out.
    """
    plain = name.lower().rpartition("/")[2].replace("_", "-")
    names = {name, *(prefix + plain for prefix in PREFIXES)}
    return bool(names & packages.UNSEEN) or any(map(is_listed, names))

"""The page on the start page is what led-tiny and `write_page` give today."""

import base64
import re
import runpy

import keras
import numpy as np
import pytest

from tests.docs.conftest import ROOT

WEIGHTS = re.compile(r'atob\("([^"]*)"\)')


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the numbers are the same on all"
)
def test_the_page_is_up_to_date(tmp_path):
    script = runpy.run_path(str(ROOT / "docs/site/write_sources_page.py"))
    script["write_sources_page"](tmp_path / "new.html")
    new = (tmp_path / "new.html").read_text("utf-8")
    kept = script["PAGE"].read_text("utf-8")
    assert WEIGHTS.sub("", new) == WEIGHTS.sub("", kept)
    found, expected = (
        np.frombuffer(base64.b64decode(*WEIGHTS.findall(page)), "uint8")
        for page in (new, kept)
    )
    # In 256 steps, which rounding may move by one.
    assert np.abs(found.astype(int) - expected).max() <= 1

"""Runs the Python of the pages in docs/, page after page."""

import keras
import pytest

from tests.docs.conftest import ROOT
from tests.docs.results import BLOCK
from tests.docs.results import run_page

DOCS = ROOT / "docs"
# Pages with needs of their own, which the tests beside their subject run.
RUN_ELSEWHERE = {
    "training.md": "tests/training/test_training_page.py",
    "migrating_from_tfled.md": "tests/tf/test_tf_migrating.py",
    "serving.md": "tests/serving/test_serving_page.py",
}

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="what the pages call is tested on every backend where it lives",
)


def pages_with_python():
    return {
        str(path.relative_to(DOCS)): len(blocks)
        for path in sorted(DOCS.rglob("*.md"))
        if (blocks := BLOCK.findall(path.read_text("utf-8")))
    }


PAGES = pages_with_python()


@pytest.mark.parametrize("page", sorted(set(PAGES) - set(RUN_ELSEWHERE)))
def test_the_python_of_the_page_runs(page, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    # A page may set it, which must not reach the tests after this one.
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    run_page(page)


def test_pages_that_run_elsewhere_do():
    for page, test in RUN_ELSEWHERE.items():
        assert page in PAGES
        assert f'"{page}"' in (ROOT / test).read_text("utf-8")


def test_every_python_block_is_found():
    fences = {
        str(path.relative_to(DOCS)): path.read_text("utf-8").count("```python")
        for path in DOCS.rglob("*.md")
    }
    assert {page: n for page, n in fences.items() if n} == PAGES

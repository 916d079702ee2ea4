"""Links between the pages, and the reference beside the names it is of."""

import importlib
import json
import re
import subprocess
import sys

import keras
import pytest

import keras_led
from tests.docs.conftest import ROOT

DOCS = ROOT / "docs"
SITE = DOCS / "site"
PAGES = sorted(DOCS.rglob("*.md"))
OTHER_PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    ROOT / "examples" / "data" / "README.md",
]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
# Of the rooms with names for users; `keras_led` itself is read from its names.
ROOMS = ("data", "hub", "serving", "visualize")

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the same on every backend"
)


def text_of(path):
    if path.suffix != ".ipynb":
        return FENCE.sub("", path.read_text("utf-8"))
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join(
        "".join(cell["source"])
        for cell in cells
        if cell["cell_type"] == "markdown"
    )


def anchors_of(path):
    """Anchors of a page: its headings, and the names of the reference."""
    text = text_of(path)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {
        re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).lower())
        for heading in headings
    }
    return slugs | set(documented(text))


def documented(text):
    """Names of the objects that mkdocstrings shows on a page."""
    return re.findall(r"^::: (\S+)$", text, re.MULTILINE)


def broken_links(path, text):
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            yield link
        elif DOCS in path.parents and DOCS not in target.parents:
            yield f"{link} leads out of the site"
        elif anchor and anchor not in anchors_of(target):
            yield f"{link}: no such heading"


@pytest.mark.parametrize(
    "path",
    [*PAGES, *OTHER_PAGES, *NOTEBOOKS],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_links_lead_to_files(path):
    assert list(broken_links(path, text_of(path))) == []


@pytest.mark.parametrize(
    "link", ["absent.md", "../README.md", "convert.md#nowhere", "#nowhere"]
)
def test_a_broken_link_is_found(link):
    text = f"See [this]({link}), [the hub](https://hf.co), [a](convert.md#to)."
    (found,) = broken_links(DOCS / "index.md", text)
    assert found.startswith(link)


def names_of_the_reference():
    return [name for page in PAGES for name in documented(text_of(page))]


def test_every_public_name_is_in_the_reference():
    public = {f"keras_led.{name}" for name in keras_led.__all__}
    public |= {f"keras_led.tf.{name}" for name in keras_led._TENSORFLOW_HOMES}
    for room in ROOMS:
        module = importlib.import_module(f"keras_led.{room}")
        own = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if callable(value) and not name.startswith("__")
        ]
        public |= {f"{module.__name__}.{name}" for name in own}
    assert public - set(names_of_the_reference()) == set()


def test_every_name_of_the_reference_exists():
    for name in names_of_the_reference():
        module, _, attribute = name.rpartition(".")
        if module == "keras_led.tf":  # needs TensorFlow
            assert attribute in keras_led._TENSORFLOW_HOMES
        else:
            assert hasattr(importlib.import_module(module), attribute), name


def test_the_navigation_has_every_page():
    settings = (SITE / "mkdocs.yml").read_text("utf-8")
    navigation = settings.split("\nnav:\n")[1].split("\n\n")[0]
    listed = re.findall(r"(\S+\.md)$", navigation, re.MULTILINE)
    pages = [str(path.relative_to(DOCS)) for path in PAGES]
    assert sorted(listed) == sorted(pages)
    assert f"\ncopyright: keras_led {keras_led.__version__}," in settings


def test_the_site_builds_without_a_warning(tmp_path):
    for module in ("material", "mkdocs", "mkdocstrings"):
        pytest.importorskip(module)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "-f", SITE / "mkdocs.yml", "-d", tmp_path / "site"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    models = (tmp_path / "site" / "api" / "models.html").read_text("utf-8")
    assert 'id="keras_led.LEDForConditionalGeneration.generate"' in models
    # Sections of call arguments are lists: see docs/site/.
    assert "<li><code>decoder_input_ids</code>:" in models
    assert "<strong>Returns:</strong> <code>LEDSeq2SeqLMOutput</code>" in models
    # The search of pages on a disk needs no other site.
    assert "../assets/iframe-worker.js" in models
    assert "unpkg.com" not in models
    assert (tmp_path / "site" / "assets" / "sources.html").is_file()

"""What the wheel and the sdist hold, and that the wheel works by itself."""

import configparser
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import keras
import pytest

from keras_led._version import __version__
from keras_led.files.embedded import DEFAULT_CHECKPOINT

ROOT = Path(__file__).resolve().parents[1]
# Of the embedded checkpoint, in bytes.
LARGEST_CHECKPOINT = 12e6

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="packaging is the same on every backend",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder]
        + [str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("keras_led-*.whl")
    return path


def test_the_sdist_holds_what_a_packager_needs(built):
    (path,) = built.glob("keras_led-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in (
        "LICENSE",
        "README.md",
        "conversion/bart.py",
        "docs/serving.md",
        "examples/data/train.jsonl",
        "keras_led/py.typed",
        "tests/run.sh",
    ):
        assert needed in names
    assert [name for name in names if "__pycache__" in name] == []


def test_the_wheel_holds_the_package_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        "keras_led",
        f"keras_led-{__version__}.dist-info",
    }
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "keras_led").rglob("*.py")
    }
    assert sources - set(names) == set()
    assert "keras_led/py.typed" in names


def test_the_wheel_carries_the_embedded_checkpoint(wheel):
    folder = f"keras_led/pretrained/{DEFAULT_CHECKPOINT}/"
    with zipfile.ZipFile(wheel) as archive:
        sizes = {
            info.filename.removeprefix(folder): info.file_size
            for info in archive.infolist()
            if info.filename.startswith(folder)
        }
    for needed in ("README.md", "config.json", "model.safetensors"):
        assert sizes[needed] > 0
    assert sum(sizes.values()) <= LARGEST_CHECKPOINT


def test_the_wheel_starts_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("points.txt"))
        parser = configparser.ConfigParser()
        parser.read_string(archive.read(name).decode())
    assert parser["console_scripts"]["keras-led"] == "keras_led.cli:app"


def test_the_unpacked_wheel_summarizes(wheel, tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = (
        "import sys, keras_led.cli;"
        "assert keras_led.__file__.startswith(sys.argv.pop(1));"
        "keras_led.cli.app()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(site), "summarize", "-"],
        input="lmap\nlmap evaluates a script for each element of a list.\n",
        # Before the editable installation of the checkout.
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.strip()

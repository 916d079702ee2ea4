"""What a fresh interpreter loads on `import keras_led`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Imported by nobody until a call needs them.
LAZY = (
    "huggingface_hub",
    "keras_hub",
    "tensorflow_text",
    "tokenizers",
    "transformers",
    "typer",
)
BACKENDS = ("tensorflow", "jax", "torch")

SCRIPT = """
import json, sys
import keras
before = set(sys.modules)
import keras_led
after = set(sys.modules)
print(json.dumps([sorted(before), sorted(after)]))
"""
# Holds the sitecustomize.py that makes TensorFlow look not installed.
NO_TENSORFLOW = str(Path(__file__).parent / "no_tensorflow")


def loaded_modules(backend, **environment):
    """Modules loaded by keras, and after it by keras_led, in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "KERAS_BACKEND": backend, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return map(set, json.loads(done.stdout))


@pytest.mark.parametrize("backend", BACKENDS)
def test_import_adds_no_heavy_module_to_what_keras_loads(backend):
    before, after = loaded_modules(backend)
    heavy = {*BACKENDS, *LAZY}
    assert (after - before) & heavy == set()


@pytest.mark.parametrize(
    ("backend", "absent"),
    [
        ("tensorflow", {"torch", "transformers", "tensorflow_text"}),
        ("jax", {"tensorflow", "torch", "transformers"}),
        ("torch", {"tensorflow", "transformers"}),
    ],
)
def test_import_leaves_other_backends_alone(backend, absent):
    _, after = loaded_modules(backend)
    assert after & absent == set()
    assert "keras_led" in after


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_import_works_where_tensorflow_is_not_installed(backend):
    _, after = loaded_modules(backend, PYTHONPATH=NO_TENSORFLOW)
    assert "tensorflow" not in after


def test_the_hidden_tensorflow_cannot_be_imported():
    done = subprocess.run(
        [sys.executable, "-c", "import tensorflow"],
        env={**os.environ, "PYTHONPATH": NO_TENSORFLOW},
        capture_output=True,
        text=True,
    )
    assert "No module named 'tensorflow'" in done.stderr

"""What a fresh interpreter loads on `import keras_led`."""

import ast
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_led
from keras_led.config import LEDConfig

# Imported by nobody until a call needs them.
LAZY = (
    "huggingface_hub",
    "keras_hub",
    "tensorflow_text",
    "tokenizers",
    "transformers",
    "typer",
)
# Libraries that each backend leaves alone.
ABSENT = {
    "tensorflow": {"torch", "transformers", "tensorflow_text"},
    "jax": {"tensorflow", "torch", "transformers"},
    "torch": {"tensorflow", "transformers"},
}
BACKEND = os.environ["KERAS_BACKEND"]

# Every name that any backend has, and so all that the package is made of.
SCRIPT = """
import json, sys
import keras
before = set(sys.modules)
from keras_led import *
after = set(sys.modules)
print(json.dumps([sorted(before), sorted(after)]))
"""
# Holds the sitecustomize.py that makes TensorFlow look not installed.
NO_TENSORFLOW = str(Path(__file__).parent / "no_tensorflow")


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@functools.cache
def loaded_modules(**environment):
    """Modules loaded by keras, and after it by keras_led, in a new process."""
    return tuple(map(set, run(SCRIPT, **environment)))


def test_import_alone_loads_neither_keras_nor_numpy():
    loaded = run(
        "import json, sys, keras_led; dir(keras_led);"
        "print(json.dumps(sorted(sys.modules)))",
        # Not even an unknown one is looked at.
        KERAS_BACKEND="mxnet",
    )
    packages = {name.split(".")[0] for name in loaded}
    assert packages & {"keras", "numpy", *ABSENT, *LAZY} == set()
    ours = {name for name in loaded if name.startswith("keras_led")}
    private = ("_keras_names", "_lazy_names", "_missing_backend", "_version")
    assert ours == {"keras_led", *(f"keras_led.{name}" for name in private)}


def test_the_table_of_names_is_what_type_checkers_read():
    tree = ast.parse(Path(keras_led.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    read = {
        alias.name: node.module.removeprefix("keras_led.")
        for node in block.body
        for alias in node.names
    }
    assert read == {**keras_led._HOMES, **keras_led._TENSORFLOW_HOMES}


def test_dir_lists_every_public_name():
    listed = dir(keras_led)
    assert keras_led.__all__ == sorted(keras_led._HOMES)
    assert set(keras_led.__all__) < set(listed)
    assert [n for n in listed if n.startswith("TFLED")] == sorted(
        keras_led._TENSORFLOW_HOMES
    )
    assert keras_led.LEDConfig is LEDConfig
    assert keras_led.models.__name__ == "keras_led.models"
    with pytest.raises(AttributeError, match="no attribute 'LEDMode'"):
        keras_led.__getattr__("LEDMode")


def test_import_adds_no_heavy_module_to_what_keras_loads():
    before, after = loaded_modules()
    assert (after - before) & {*ABSENT, *LAZY} == set()


def test_import_leaves_other_backends_alone():
    _, after = loaded_modules()
    assert after & ABSENT[BACKEND] == set()
    assert "keras_led" in after


@pytest.mark.skipif(BACKEND == "tensorflow", reason="is TensorFlow itself")
def test_import_works_where_tensorflow_is_not_installed():
    _, after = loaded_modules(PYTHONPATH=NO_TENSORFLOW)
    assert "tensorflow" not in after


def test_the_hidden_tensorflow_cannot_be_imported():
    done = subprocess.run(
        [sys.executable, "-c", "import tensorflow"],
        env={**os.environ, "PYTHONPATH": NO_TENSORFLOW},
        capture_output=True,
        text=True,
    )
    assert "No module named 'tensorflow'" in done.stderr


LATE = """
import json, sys
from keras_led.tokenizer import BatchEncoding
before = "keras" in sys.modules
import keras
found = keras.tree.flatten(BatchEncoding({"input_ids": 3, "attention_mask": 1}))
print(json.dumps([before, found]))
"""


def test_keras_sees_into_what_a_tokenizer_made_before_it():
    before, found = run(LATE)
    assert not before
    assert sorted(found) == [1, 3]


@pytest.mark.parametrize(
    "code",
    [
        "from keras_led import LEDModel",
        "from keras_led.training import freeze",
        "from keras_led.data import Seq2SeqDataset",
        "from keras_led.visualize import write_page, find_sources",
        "from keras_led.cli.starting import start_backend; start_backend(None)",
    ],
)
def test_a_missing_backend_is_told_of_with_the_way_to_get_it(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "KERAS_BACKEND": "tensorflow",
            "PYTHONPATH": NO_TENSORFLOW,
        },
        capture_output=True,
        text=True,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: Keras is to run on tensorflow")
    assert "Set KERAS_BACKEND=jax" in last
    assert "pip install 'keras-led[tensorflow]'" in last


def test_without_any_backend():
    from keras_led import _missing_backend

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_missing_backend, "find_spec", lambda name: None)
        error = ModuleNotFoundError(name="jax")
        text = str(_missing_backend.missing_backend(error))
    assert "none is installed" in text and "'keras-led[torch]'" in text
    other = ModuleNotFoundError(name="pandas")
    assert _missing_backend.missing_backend(other) is None

"""Measures how much of the public interface has types, and wants 95 %.

    python tests/typed_interface.py

`py.typed` promises them to editors and checkers. Keras comes without types,
and what is made from an unknown class counts as unknown too: so its classes
that stand in our signatures get a name here. `keras` itself is not touched.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEAST = 0.95
SHOWN = 40

# Modules of Keras to their classes, each with its base.
CLASSES = {
    "callbacks": {"Callback": "", "History": "Callback"},
    "distribution": {
        "DeviceMesh": "",
        "LayoutMap": "",
        "ModelParallel": "",
        "TensorLayout": "",
    },
    "initializers": {"RandomNormal": ""},
    "layers": {
        "Layer": "",
        "Dense": "Layer",
        "Embedding": "Layer",
        "LayerNormalization": "Layer",
        "ReversibleEmbedding": "Embedding",
    },
    "metrics": {"Mean": ""},
    "optimizers": {"AdamW": ""},
    "optimizers.schedules": {"LearningRateSchedule": ""},
    "random": {"SeedGenerator": ""},
    "utils": {"PyDataset": ""},
}
# Methods of `keras.Model` whose signatures ours have.
RUNS = ("fit", "evaluate", "predict")
RUNS += tuple(f"{run}_on_batch" for run in ("train", "test", "predict"))
ANYTHING = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"


def class_stub(name, base, fields=()):
    """A class of which no more is known than its name and its base."""
    members = [f"    {field}: Any\n" for field in fields]
    members += [
        "    def __init__(self, *args: Any, **kwargs: Any) -> None: ...\n",
        "    def __getattr__(self, name: str) -> Any: ...\n",
    ]
    return f"class {name}({base}):\n" + "".join(members)


def write_stubs(folder):
    """Writes `keras-stubs`, which stands for Keras while types are counted."""
    root = folder / "keras-stubs"
    for module, classes in CLASSES.items():
        path = root.joinpath(*module.split("."), "__init__.pyi")
        path.parent.mkdir(parents=True, exist_ok=True)
        stubs = [class_stub(name, base) for name, base in classes.items()]
        path.write_text(ANYTHING + "".join(stubs), "utf-8")
    modules = [name for name in CLASSES if "." not in name]
    text = ANYTHING + class_stub("Variable", "")
    text += "".join(f"from keras import {n} as {n}\n" for n in modules)
    text += class_stub("Model", "layers.Layer", RUNS)
    (root / "__init__.pyi").write_text(text, "utf-8")
    path = root / "optimizers" / "__init__.pyi"
    line = "from keras.optimizers import schedules as schedules\n"
    path.write_text(path.read_text("utf-8") + line, "utf-8")


def measure():
    """What basedpyright says of the package, as a dict."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_stubs(folder)
        # An editable install is none to the checker, a folder on the path is.
        (folder / "keras_led").symlink_to(ROOT / "keras_led")
        done = subprocess.run(
            [Path(sys.executable).with_name("basedpyright")]
            + ["--pythonpath", sys.executable, "--verifytypes", "keras_led"]
            + ["--ignoreexternal", "--outputjson"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
        )
    return json.loads(done.stdout)["typeCompleteness"]


def main():
    """Prints the share of known types; returns the exit status."""
    found = measure()
    score = found["completenessScore"]
    lines = [f"{score:.1%} of the public interface has known types."]
    if score < LEAST:
        lines += [f"At least {LEAST:.0%} are wanted. Unknown or doubtful:"]
        lines += [
            f"  {symbol['name']}"
            for symbol in found["symbols"]
            if symbol["isExported"] and not symbol["isTypeKnown"]
        ][:SHOWN]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(score < LEAST)


if __name__ == "__main__":
    sys.exit(main())

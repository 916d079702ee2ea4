"""`keras.models.load_model` after `import keras_led`, in new processes."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_led
from keras_led import _keras_names
from keras_led.models.adapters import enable_lora
from keras_led.training.linear_decay import LinearDecay
from keras_led.training.metrics import Perplexity
from keras_led.training.metrics import TokenAccuracy
from tests import peer

PACKAGE = Path(keras_led.__file__).parent


def registered_in(path):
    """Yields the names of the classes that a file registers with Keras."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and any(
            "register_keras_serializable" in ast.unparse(decorator)
            for decorator in node.decorator_list
        ):
            yield node.name


def test_the_list_holds_every_class_that_is_registered():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        # KerasHub asks what is registered for its base class, which a
        # stand-in does not have: `import keras_led.hub` registers.
        if PACKAGE / "hub" in path.parents:
            continue
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        names = set(registered_in(path))
        if names:
            found[module] = names
    listed = {k: set(names) for k, names in _keras_names.CLASSES.items()}
    assert listed == found


LOAD = """
import json, sys
import {first}
import {second}
from pathlib import Path

folder = Path(sys.argv[1])
before = [name for name in sys.modules if name.startswith("keras_led.")]
found = {{}}
for path in sorted(folder.glob("*.keras")):
    model = keras.models.load_model(path)
    found[path.stem] = [
        type(model).__name__,
        sum(float(keras.ops.sum(keras.ops.abs(v))) for v in model.weights),
    ]
    if "trained" in path.stem:
        rate = model.optimizer._learning_rate
        metrics = model.get_compile_config()["metrics"]
        found["rate"] = type(rate).__name__
        found["metrics"] = [metric["class_name"] for metric in metrics]
print(json.dumps([before, found]))
"""


def total(model):
    values = (keras.ops.convert_to_numpy(v) for v in model.weights)
    return float(sum(np.abs(value).sum() for value in values))


def files(folder):
    """Writes a `.keras` file for each class; returns what each must give."""
    made = {}

    def save(name, model):
        model.save(folder / f"{name}.keras")
        made[name] = [type(model).__name__, total(model)]

    config = keras_led.LEDConfig(**peer.TINY)
    for head in ("ConditionalGeneration", "QuestionAnswering"):
        save(head, getattr(keras_led, f"LEDFor{head}")(config))
    save("Classification", keras_led.LEDForSequenceClassification(config))
    base = keras_led.LEDModel(config)
    save("Model", base)
    save("encoder", base.get_encoder())
    save("decoder", base.get_decoder())
    model = keras_led.LEDForConditionalGeneration(config)
    enable_lora(model, 2)
    model.compile(
        optimizer=keras.optimizers.AdamW(LinearDecay(1e-3, 1, 9)),
        metrics=[TokenAccuracy(), Perplexity()],
    )
    ids = np.array([[3, 5, 4], [6, 2, 7]])
    model.fit({"input_ids": ids}, ids, verbose=0)
    save("a_trained", model)
    if keras.backend.backend() == "tensorflow":
        tf_model = keras_led.TFLEDModel(config)
        tf_model(tf_model.dummy_inputs)
        save("TFModel", tf_model)
    return made


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return folder, files(folder)


@pytest.mark.parametrize("first", ["keras", "keras_led"])
def test_a_keras_file_loads_before_any_class_is_touched(first, saved):
    folder, made = saved
    (second,) = {"keras", "keras_led"} - {first}
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(first=first, second=second)]
        + [str(folder)],
        env=os.environ | {"KERAS_BACKEND": keras.backend.backend()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    before, found = json.loads(done.stdout)
    assert all(name.startswith("keras_led._") for name in before)
    assert found.pop("rate") == "LinearDecay"
    assert found.pop("metrics") == ["TokenAccuracy", "Perplexity"]
    for name, (kind, sum_of_weights) in made.items():
        assert found[name][0] == kind
        assert found[name][1] == pytest.approx(sum_of_weights, rel=1e-5)
    assert found.keys() == made.keys()


def test_a_stand_in_is_called_and_asked_like_its_class(monkeypatch):
    known = keras.saving.get_custom_objects()
    monkeypatch.delitem(known, "keras_led>Perplexity")
    _keras_names.register()
    stand_in = known["keras_led>Perplexity"]
    assert stand_in is not Perplexity
    assert type(stand_in(name="of_it")) is Perplexity
    assert stand_in.from_config == Perplexity.from_config

"""The whole way on a tiny model: fit, save, load, generate.

`tests/run.sh` runs this file once more where one backend is all there is.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration

OTHER_BACKENDS = [
    name
    for name in ("tensorflow", "jax", "torch")
    if find_spec(name) and name != keras.config.backend()
]
CONFIG = {
    "vocab_size": 31,
    "d_model": 12,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 20,
    "decoder_ffn_dim": 28,
    "attention_window": 4,
    "max_encoder_position_embeddings": 24,
    "max_decoder_position_embeddings": 16,
    # Wide enough for a tiny model's best token to be far from the second.
    "init_std": 0.5,
    "dropout": 0.0,
}

GENERATE = """
import json, sys
import numpy as np
from keras import ops
from keras_led import LEDForConditionalGeneration
model = LEDForConditionalGeneration.from_pretrained(sys.argv[1])
batch = {name: np.array(value) for name, value in json.load(sys.stdin).items()}
written = {}
for beams in sys.argv[2:]:
    ids = model.generate(**batch, max_new_tokens=9, num_beams=int(beams))
    written[beams] = ops.convert_to_numpy(ids).tolist()
print(json.dumps(written))
"""


def documents():
    """Two documents, the second one shorter and padded, global on `<s>`."""
    random = np.random.default_rng(3)
    input_ids = random.integers(4, 31, (2, 19)).astype("int32")
    attention_mask = np.ones_like(input_ids)
    input_ids[1, 11:] = 1
    attention_mask[1, 11:] = 0
    global_attention_mask = np.zeros_like(input_ids)
    global_attention_mask[:, 0] = 1
    return {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "global_attention_mask": global_attention_mask,
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model after three steps of `fit`, its folder, and its losses."""
    keras.utils.set_random_seed(5)
    model = LEDForConditionalGeneration(LEDConfig(**CONFIG))
    labels = np.array([[0, 8, 15, 2], [0, 23, 2, -100]], "int32")
    batch = {**documents(), "labels": labels}
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    before = model.evaluate(batch, verbose=0)
    model.fit(batch, epochs=3, verbose=0)
    after = model.evaluate(batch, verbose=0)
    folder = tmp_path_factory.mktemp("model")
    model.save_pretrained(folder)
    return model, folder, before, after


def generate(model, **options):
    ids = model.generate(**documents(), max_new_tokens=9, **options)
    return keras.ops.convert_to_numpy(ids)


def test_fit_lowers_the_loss(trained):
    _, _, before, after = trained
    assert after < before


def test_a_saved_model_generates_the_same_tokens(trained):
    model, folder, _, _ = trained
    again = LEDForConditionalGeneration.from_pretrained(folder)
    expected = generate(model)
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(generate(again), expected)


@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_other_backends_generate_the_same_tokens(trained, backend):
    model, folder, _, _ = trained
    batch = {name: value.tolist() for name, value in documents().items()}
    done = subprocess.run(
        [sys.executable, "-c", GENERATE, str(folder), "1", "3"],
        input=json.dumps(batch),
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        beams: generate(model, num_beams=int(beams)).tolist()
        for beams in ("1", "3")
    }

"""Checkpoints and SavedModels."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import keras_led
from tests.golden.files import read_golden
from tests.models.pairs import write_checkpoint
from tests.tf.models import GOLDEN
from tests.tf.models import batch
from tests.tf.models import fresh

TFLED = keras_led.TFLEDForConditionalGeneration


@pytest.mark.parametrize(
    ("name", "options", "files"),
    [
        ("TFLEDModel", {}, ["tf_model.h5"]),
        (
            TFLED.__name__,
            {"max_shard_size": "12KB"},
            ["tf_model.h5.index.json"],
        ),
        (TFLED.__name__, {"safe_serialization": True}, ["model.safetensors"]),
    ],
)
def test_a_saved_model_is_the_same_when_loaded(name, options, files, tmp_path):
    model = fresh(name)
    model.save_pretrained(tmp_path, **options)
    for file in files:
        assert (tmp_path / file).is_file()
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert config["architectures"] == [name.removeprefix("TF")]
    loaded = type(model).from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded(batch())[0], model(batch())[0])
    # The models that run on every backend read it as well.
    other = getattr(keras_led, name.removeprefix("TF"))
    other = other.from_pretrained(tmp_path)
    np.testing.assert_allclose(
        other(**batch())[0], model(batch())[0], atol=1e-6
    )


def test_from_pt_chooses_the_files_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    config, weights, _ = read_golden(GOLDEN / "tensorflow.npz")
    write_checkpoint(tmp_path, config, weights)
    (tmp_path / "model.safetensors").unlink()
    state = {k: torch.from_numpy(v) for k, v in weights.items()}
    torch.save(state, tmp_path / "pytorch_model.bin")
    other = TFLED(keras_led.LEDConfig.from_pretrained(tmp_path))
    other.save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "tf_model.h5").rename(tmp_path / "tf_model.h5")
    table = weights["led.shared.weight"]
    for from_pt, expected in (
        (True, table),
        (False, other.get_input_embeddings().embeddings.numpy()),
    ):
        model = TFLED.from_pretrained(
            tmp_path, from_pt=from_pt, config=str(tmp_path)
        )
        found = model.get_input_embeddings().embeddings.numpy()
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(FileNotFoundError, match="safetensors"):
        TFLED.from_pretrained(tmp_path, use_safetensors=True)


def test_older_weights_that_would_be_read_are_named(tmp_path):
    model = fresh()
    model.save_pretrained(tmp_path, safe_serialization=True)
    with pytest.warns(UserWarning, match="model.safetensors"):
        model.save_pretrained(tmp_path)
    with pytest.raises(TypeError, match="push_to_hub=True.*repo_id"):
        model.save_pretrained(tmp_path, repo_id="somebody/led")


def test_an_upload_gets_the_files(tmp_path, monkeypatch):
    sent = []

    def upload(directory, repo_id, **options):
        sent.append((repo_id, (directory / "tf_model.h5").exists(), options))
        return "address"

    monkeypatch.setattr("keras_led.files.push_to_hub", upload)
    monkeypatch.setattr("keras_led.models.pretrained.push_to_hub", upload)
    model = fresh()
    assert model.push_to_hub("me/led", token="t") == "address"
    model.save_pretrained(
        tmp_path / "led", push_to_hub=True, repo_id="me/b", create_pr=True
    )
    assert sent == [
        ("me/led", True, {"token": "t"}),
        ("me/b", True, {"token": None, "create_pr": True}),
    ]


CLIENT = """
import sys
import numpy as np
import tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
data = np.load(sys.argv[2])
for name, kind in (("serving_default", "int32"), ("int64_serving", "int64")):
    inputs = {k: tf.constant(data[k].astype(kind)) for k in data.files}
    outputs = served.signatures[name](**inputs)
np.savez(sys.argv[3], **{k: v.numpy() for k, v in outputs.items()})
assert "keras_led" not in sys.modules
"""


def test_a_saved_model_serves_hidden_states_and_attentions(tmp_path):
    # One decoder layer, other lengths in the decoder: both broke TFLED.
    model = fresh(attention_window=[6])
    model.config.output_hidden_states = True
    model.config.output_attentions = True
    model.save_pretrained(tmp_path, saved_model=True, version=2)
    inputs = batch("mixed")
    inputs["decoder_attention_mask"] = np.ones_like(inputs["decoder_input_ids"])
    np.savez(tmp_path / "in.npz", **inputs)
    paths = [tmp_path / x for x in ("saved_model/2", "in.npz", "out.npz")]
    subprocess.run([sys.executable, "-c", CLIENT, *map(str, paths)], check=True)
    with np.load(paths[-1]) as found:
        expected = model(inputs)
        assert found["encoder_hidden_states"].shape == (2, 2, 9, 24)
        assert found["encoder_attentions"].shape[:4] == (1, 2, 4, 9)
        assert found["cross_attentions"].shape == (1, 2, 3, 5, 9)
        np.testing.assert_allclose(found["logits"], expected.logits, atol=1e-5)
        for index, tensor in enumerate(expected.past_key_values[0]):
            name = f"past_key_values_0_{index}"
            np.testing.assert_allclose(found[name], tensor, atol=1e-5)
    assert sorted(model.dummy_inputs) == sorted(inputs)
    assert model(model.dummy_inputs).logits.shape == (1, 2, 37)


def test_signatures_of_the_user_are_served(tmp_path):
    model = fresh("TFLEDModel")
    spec = tf.TensorSpec((None, None), tf.int32, name="tokens")

    @tf.function(input_signature=[spec])
    def states(tokens):
        return {"states": model(tokens).encoder_last_hidden_state}

    model.save_pretrained(
        tmp_path / "new", saved_model=True, signatures={"states": states}
    )
    served = tf.saved_model.load(str(tmp_path / "new" / "saved_model" / "1"))
    ids = tf.constant(batch()["input_ids"])
    found = served.signatures["states"](tokens=ids)["states"]
    np.testing.assert_allclose(
        found, model(ids).encoder_last_hidden_state, atol=1e-5
    )

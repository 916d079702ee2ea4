"""LiteRT files, run by their own runtime, and what formats refuse."""

import sys
import warnings

import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import serving
from keras_led.backend import name as backend_name
from tests import peer
from tests.serving.conftest import tiny_model

LENGTH, TARGET_LENGTH = 150, 4
SLOTS = 3


@pytest.fixture(scope="module")
def model():
    """Reads 160 tokens: more than a block of queries, more than the slots."""
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes the files")
    small, _ = tiny_model()
    config = LEDConfig.from_dict(
        {**small.config.to_dict(), "max_encoder_position_embeddings": 160}
    )
    return LEDForConditionalGeneration(config, max_global_tokens=SLOTS)


@pytest.fixture(scope="module")
def litert_file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("litert") / "led"
    sizes = {"length": LENGTH, "target_length": TARGET_LENGTH}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorFlow about tf.lite
        serving.export(model, path, format="litert", batch_size=2, **sizes)
    return path / "model.tflite"


def requests(batch, length, num_global, target_length=TARGET_LENGTH):
    """Documents with global tokens in odd places, the last one padded."""
    rng = np.random.default_rng(length)
    ids = rng.integers(5, 250, (batch, length))
    mask = np.ones_like(ids)
    mask[-1, length - 3 :] = 0
    wide = np.zeros_like(ids)
    wide[:, 0] = 1
    wide[0, rng.permutation(np.arange(1, length))[: num_global - 1]] = 1
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": wide,
        "decoder_input_ids": rng.integers(5, 250, (batch, target_length)),
    }
    return {name: value.astype("int32") for name, value in inputs.items()}


def expected(model, inputs):
    document = {k: v for k, v in inputs.items() if k != "decoder_input_ids"}
    hidden = model.encode(**document).last_hidden_state
    return peer.to_numpy(hidden), peer.to_numpy(model(**inputs).logits)


def runners(path):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(model_path=str(path))
    return [
        interpreter.get_signature_runner(name) for name in ("encode", "forward")
    ]


def test_litert_gives_the_models_numbers(model, litert_file):
    encode, forward = runners(litert_file)
    inputs = requests(2, LENGTH, SLOTS)
    hidden, logits = expected(model, inputs)
    found = forward(**inputs)["logits"]
    np.testing.assert_allclose(found, logits, atol=1e-4)
    del inputs["decoder_input_ids"]
    found = encode(**inputs)["last_hidden_state"]
    np.testing.assert_allclose(found, hidden, atol=1e-4)


def test_litert_answers_nan_for_more_global_tokens_than_it_has(litert_file):
    encode, _ = runners(litert_file)
    inputs = requests(2, LENGTH, SLOTS + 1)
    del inputs["decoder_input_ids"]
    found = encode(**inputs)["last_hidden_state"]
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"format": "tflite"}, "one of saved_model, onnx, openvino, litert"),
        ({"format": "litert", "num_beams": 2}, "`num_beams` needs a format th"),
        (
            {"format": "onnx", "max_new_tokens_input": True},
            "`max_new_tokens_input` is for format='saved_model'",
        ),
        ({"format": "onnx", "penalty_alpha": 0.5, "num_beams": 1}, "contrast"),
        ({"format": "onnx", "quantize": "int4"}, "`quantize` must be 'int8'"),
        (
            {"format": "openvino", "quantize": "int8"},
            "`quantize` is for format='onnx'",
        ),
        ({"format": "onnx", "length": 64}, "`length` is for format='litert'"),
        ({"length": 64}, "`length` is for format='litert'"),
        ({"format": "litert"}, "`length` must be a number from 1 to 48"),
        (
            {"format": "litert", "length": 48, "target_length": 13},
            "`target_length` must be a number from 1 to 12",
        ),
        (
            {"format": "litert", "length": 9, "target_length": 2}
            | {"batch_size": -1},
            "`batch_size` must be a number of at least 1",
        ),
    ],
)
def test_options_that_do_not_go_together(tmp_path, options, rule):
    small, tokenizer = tiny_model()
    with pytest.raises(ValueError, match=rule):
        serving.export(small, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_text_needs_a_format_that_generates(tmp_path):
    small, tokenizer = tiny_model()
    with pytest.raises(ValueError, match="`tokenizer` needs a format that"):
        serving.export(small, tmp_path / "out", tokenizer, format="litert")


def test_a_missing_translator_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-led\[onnx\]'"):
        serving.export(model, tmp_path / "out", format="onnx")
    assert not list(tmp_path.iterdir())

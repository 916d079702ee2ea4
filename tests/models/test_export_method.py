"""`model.export` beside the model, for every head and format."""

import sys
import warnings

import keras
import numpy as np
import pytest

import keras_led
from keras_led import LEDConfig
from keras_led.backend import name as backend_name
from tests import peer
from tests.serving.test_operations import FILE
from tests.serving.test_operations import PLAIN
from tests.serving.test_operations import operations

LENGTH, TARGET_LENGTH, SLOTS = 14, 4, 3
WRITES = pytest.mark.skipif(
    backend_name != "tensorflow", reason="TensorFlow writes the files"
)


def make(name):
    keras.utils.set_random_seed(5)
    config = LEDConfig(
        vocab_size=40,
        d_model=12,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=3,
        encoder_ffn_dim=20,
        decoder_ffn_dim=28,
        attention_window=4,
        max_encoder_position_embeddings=16,
        max_decoder_position_embeddings=16,
        num_labels=3,
        init_std=0.5,
    )
    return getattr(keras_led, name)(config, max_global_tokens=SLOTS)


def arguments(model, batch=2, length=LENGTH, num_global=2):
    """Inputs of an export, the last document padded."""
    rng = np.random.default_rng(length)
    ids = rng.integers(4, 40, (batch, length))
    ids[:, length - 4] = 2  # </s>
    mask, wide = np.ones_like(ids), np.zeros_like(ids)
    mask[-1, length - 3 :] = 0
    wide[:, :num_global] = 1
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": wide,
        "decoder_input_ids": rng.integers(4, 40, (batch, TARGET_LENGTH)),
    }
    return {name: inputs[name].astype("int32") for name in model.export_inputs}


def answers(model, inputs):
    output = model(**inputs)
    return {name: peer.to_numpy(output[name]) for name in model.answer_fields}


def compare(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-4)


@WRITES
@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("LEDModel", True),
        ("LEDForQuestionAnswering", False),
        ("LEDForSequenceClassification", True),
        ("TFLEDForConditionalGeneration", False),
    ],
)
def test_signature_of_every_head(name, called, tmp_path):
    import tensorflow as tf

    model = make(name)
    inputs = arguments(model)
    if called:  # the signature is the same, whatever the call was given
        model(input_ids=inputs["input_ids"][:, :13])
    path = model.export(str(tmp_path / "saved"))
    assert operations(path) <= {*PLAIN, *FILE}
    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    found = signature(**{k: tf.constant(v) for k, v in inputs.items()})
    compare(found, answers(model, inputs))


@WRITES
def test_serve_takes_what_a_call_takes(tmp_path):
    import tensorflow as tf

    model = make("LEDForConditionalGeneration")
    model.export(tmp_path)
    loaded = tf.saved_model.load(str(tmp_path))
    for sizes in ({}, {"batch": 1, "length": 9, "num_global": SLOTS + 2}):
        inputs = arguments(model, **sizes)
        compare(loaded.serve(inputs), answers(model, inputs))
    # What a call may leave out; int64, as numpy counts.
    ids = {"input_ids": inputs["input_ids"].astype("int64")}
    compare(loaded.serve(ids), answers(model, ids))
    inputs["input_ids"] += 40
    with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 39"):
        loaded.serve(inputs)


@WRITES
def test_a_dict_as_signature_names_the_inputs(tmp_path):
    import tensorflow as tf

    model = make("LEDForConditionalGeneration")
    inputs = arguments(model)
    del inputs["global_attention_mask"]
    inputs["decoder_attention_mask"] = np.ones((2, TARGET_LENGTH), "int32")
    inputs["decoder_attention_mask"][0, 0] = 0
    signature = {
        "input_ids": keras.InputSpec(shape=(None, LENGTH), dtype="int64"),
        "attention_mask": tf.TensorSpec((None, LENGTH), tf.int32),
        # An example: any number of documents.
        "decoder_input_ids": inputs["decoder_input_ids"][:1],
        "decoder_attention_mask": keras.KerasTensor((None, None), "int32"),
    }
    model.export(tmp_path, input_signature=[signature])
    loaded = tf.saved_model.load(str(tmp_path))
    _, specs = loaded.signatures["serving_default"].structured_input_signature
    assert {name: spec.dtype.name for name, spec in specs.items()} == {
        name: "int64" if name == "input_ids" else "int32" for name in inputs
    }
    inputs["input_ids"] = inputs["input_ids"].astype("int64")
    compare(loaded.serve(inputs), answers(model, inputs))


@WRITES
def test_a_list_as_signature_follows_the_call(tmp_path):
    import tensorflow as tf

    model = make("TFLEDForConditionalGeneration")
    inputs = arguments(model)
    names = ("input_ids", "attention_mask", "decoder_input_ids")
    signature = [tf.TensorSpec((None, None), tf.int32)] * len(names)
    older = tmp_path / "saved"
    older.mkdir()
    for name in ("saved_model.pb", "fingerprint.pb.old"):
        (older / name).touch()
    model.export(older, input_signature=signature)
    assert not (older / "fingerprint.pb.old").exists()
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    found = loaded.serve(*(tf.constant(inputs[name]) for name in names))
    compare(found, answers(model, {name: inputs[name] for name in names}))


@pytest.fixture
def quiet():
    """Lets the translators warn of their own calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@WRITES
def test_onnx(tmp_path, quiet):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = make("LEDForSequenceClassification")
    path = model.export(tmp_path / "led.onnx", format="onnx")
    session = onnxruntime.InferenceSession(str(path))
    for sizes in ({}, {"batch": 1, "length": 9, "num_global": SLOTS + 2}):
        inputs = arguments(model, **sizes)
        values = session.run(list(model.answer_fields), inputs)
        found = dict(zip(model.answer_fields, values, strict=True))
        compare(found, answers(model, inputs))


@WRITES
def test_openvino(tmp_path, quiet):
    openvino = pytest.importorskip("openvino")
    model = make("LEDForConditionalGeneration")
    model.export(tmp_path, format="openvino")
    assert {file.name for file in tmp_path.iterdir()} == {
        "model.xml",
        "model.bin",
    }
    compiled = openvino.Core().compile_model(
        str(tmp_path / "model.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    for sizes in ({}, {"batch": 1, "length": 9, "num_global": SLOTS + 2}):
        inputs = arguments(model, **sizes)
        values = compiled(inputs)
        found = {name: values[name] for name in model.answer_fields}
        compare(found, answers(model, inputs))


@WRITES
def test_litert_reads_the_longest_document_by_default(tmp_path, quiet):
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    model = make("LEDForQuestionAnswering")
    path = model.export(tmp_path / "led.tflite", format="litert")
    run = litert.Interpreter(str(path)).get_signature_runner("serving_default")
    inputs = arguments(model, batch=1)
    missing = model.config.max_encoder_position_embeddings - LENGTH
    inputs = {
        name: np.pad(x, ((0, 0), (0, missing))) for name, x in inputs.items()
    }
    compare(run(**inputs), answers(model, inputs))


def test_other_backends_export_through_tensorflow(tmp_path):
    if backend_name != "torch":
        pytest.skip("one backend without TensorFlow is enough")
    import subprocess

    model = make("LEDForSequenceClassification")
    inputs = arguments(model)
    path = model.export(tmp_path / "saved")
    np.savez(tmp_path / "inputs.npz", **inputs)
    client = (
        "import sys, numpy as np, tensorflow as tf\n"
        "inputs = dict(np.load(sys.argv[2]))\n"
        "loaded = tf.saved_model.load(sys.argv[1])\n"
        "found = loaded.serve(inputs)\n"
        "np.savez(sys.argv[3], **found)\n"
    )
    found = tmp_path / "found.npz"
    subprocess.run(
        [sys.executable, "-c", client, path, tmp_path / "inputs.npz", found],
        check=True,
    )
    compare(dict(np.load(found)), answers(model, inputs))


def spec(*shape):
    return keras.InputSpec(shape=shape, dtype="int32")


@pytest.mark.parametrize(
    ("options", "error", "rule"),
    [
        ({"format": "torch"}, ValueError, "one of tf_saved_model, onnx"),
        ({"format": "openvino"}, ValueError, "must end with '.xml'"),
        ({"opset_version": 17}, ValueError, "is for format='onnx'"),
        ({"overwrite": True}, TypeError, "no argument `overwrite`"),
        (
            {"input_signature": {"labels": spec(2, 3)}},
            TypeError,
            "may hold input_ids, .*Received: 'labels'",
        ),
        ({"input_signature": {"input_ids": 3}}, TypeError, "a shape and a"),
        (
            {"input_signature": {"attention_mask": spec(2, 3)}},
            ValueError,
            "must hold `input_ids` or",
        ),
        (
            {"input_signature": [spec(2, 3)] * 30},
            ValueError,
            "at most 17 specs",
        ),
        (
            {"format": "litert", "input_signature": spec(None, 9)},
            ValueError,
            "must give every size",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused(options, error, rule, tmp_path):
    model = make("LEDModel")
    with pytest.raises(error, match=rule):
        model.export(tmp_path / "out", **options)
    assert not list(tmp_path.iterdir())


def test_a_directory_of_something_else_stays(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(FileExistsError, match="something else"):
        make("LEDModel").export(tmp_path)
    with pytest.raises(NotADirectoryError, match="a file"):
        make("LEDModel").export(tmp_path / "thesis.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@WRITES
@pytest.mark.parametrize(
    ("format", "package", "file"),
    [("onnx", "tf2onnx", "led.onnx"), ("openvino", "openvino", "led.xml")],
)
def test_a_missing_translator_is_named(
    format, package, file, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    rule = rf"pip install 'keras-led\[{format}\]'"
    with pytest.raises(ImportError, match=rule):
        make("LEDModel").export(tmp_path / file, format=format)
    assert not list(tmp_path.iterdir())


def test_a_class_of_the_program_itself_needs_tensorflow(tmp_path):
    if backend_name == "tensorflow":
        pytest.skip("TensorFlow needs no other process")
    model = make("LEDModel")
    cls = type("Mine", (type(model),), {"__module__": "__main__"})
    with pytest.raises(ValueError, match="must stand in a module"):
        cls(model.config).export(tmp_path / "out")

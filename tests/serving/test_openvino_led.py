"""OpenVINO files that generate: the model's tokens, without the model."""

import concurrent.futures
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import serving
from keras_led.backend import name as backend_name
from keras_led.serving import OpenVINOLED
from tests.serving.conftest import tiny_model

openvino = pytest.importorskip("openvino")

MAX_POSITIONS = 320
BEAMS = {
    "num_beams": 2,
    "no_repeat_ngram_size": 2,
    "length_penalty": 2.0,
    "forced_eos_token_id": 2,
    "max_length": 8,
}


@pytest.fixture(scope="module")
def longer():
    """Reads 320 tokens: more than a block of queries."""
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes the files")
    small, tokenizer = tiny_model()
    config = LEDConfig.from_dict(
        {
            **small.config.to_dict(),
            "max_encoder_position_embeddings": MAX_POSITIONS,
        }
    )
    return LEDForConditionalGeneration(config), tokenizer


@pytest.fixture(scope="module")
def folder(longer, tmp_path_factory):
    model, tokenizer = longer
    path = tmp_path_factory.mktemp("openvino") / "led"
    return serving.export(model, path, tokenizer, format="openvino", **BEAMS)


@pytest.fixture(scope="module")
def led(folder):
    return OpenVINOLED.from_pretrained(folder)


def documents(batch, length):
    """Documents with global tokens in odd places, the last one padded."""
    rng = np.random.default_rng(length)
    ids = rng.integers(5, 290, (batch, length))
    mask, wide = np.ones_like(ids), np.zeros_like(ids)
    if batch > 1:
        mask[-1, length - 4 :] = 0
        wide[0, length // 2] = 1
    wide[:, 0] = 1
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": wide,
    }


@pytest.mark.parametrize(("batch", "length"), [(1, 7), (3, 23), (2, 300)])
def test_beams_are_those_of_the_model(longer, led, batch, length):
    given = documents(batch, length)
    expected = longer[0].generate(**given, **BEAMS)
    found = led.generate(**given)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, np.asarray(expected))
    assert len(np.unique(found)) > 3


def test_a_call_may_ask_for_fewer_tokens(longer, led):
    given = documents(3, 23)
    expected = longer[0].generate(
        **given, **{**BEAMS, "max_length": None, "max_new_tokens": 4}
    )
    found = led.generate(**given, max_new_tokens=4)
    np.testing.assert_array_equal(found, np.asarray(expected))


def test_sampling_and_greedy_search(longer, tmp_path):
    """A draw from one token is the best one, as greedy search takes it."""
    model, _ = longer
    options = {"num_beams": 1, "max_length": 6}
    given = documents(2, 23)
    path = serving.export(
        model,
        tmp_path / "led",
        format="openvino",
        do_sample=True,
        top_k=1,
        **options,
    )
    led = OpenVINOLED.from_pretrained(path)
    expected = model.generate(**given, **options)
    found = led.generate(**given, seed=3)
    np.testing.assert_array_equal(found, np.asarray(expected))
    with pytest.raises(ValueError, match="was exported without one"):
        led.summarize("A text.")


def test_noise_is_uniform_and_the_same_in_openvino():
    tf = pytest.importorskip("tensorflow")
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes the files")
    from keras_led.serving.counted_noise import counted_uniform

    draw = tf.function(
        lambda seed, rows: counted_uniform(seed, (rows, 5)),
        input_signature=[
            tf.TensorSpec([2], "int32", "seed"),
            tf.TensorSpec([], "int32", "rows"),
        ],
        autograph=False,
    )
    converted = openvino.convert_model(draw.get_concrete_function())
    run = openvino.Core().compile_model(converted, "CPU")
    rows = np.int32(20_000)
    (seeds, others) = np.array([[3, 4], [4, 4]], "int32")
    noise = draw(seeds, rows).numpy()
    found = run({"seed": seeds, "rows": rows})[0]
    np.testing.assert_array_equal(found, noise)
    counts, _ = np.histogram(noise, 10, (0, 1))
    assert np.abs(counts - 10_000).max() < 400  # 4 standard deviations
    neighbors = (noise[:, 0], noise[:, 1]), (noise[1:, 0], noise[:-1, 0])
    seeds = [(noise.ravel(), draw(others, rows).numpy().ravel())]
    for pair in (*neighbors, *seeds):
        assert abs(np.corrcoef(*pair)[0, 1]) < 0.03


def test_summaries_are_those_of_the_model(longer, led):
    model, tokenizer = longer
    texts = ["Global tokens see it all!", "The window slides over it."]
    expected = model.summarize(
        texts, tokenizer=tokenizer, batch_size=2, **BEAMS
    )
    assert led.summarize(texts, batch_size=2) == expected


SCRIPT = """
import sys
from keras_led.serving import OpenVINOLED
led = OpenVINOLED.from_pretrained(sys.argv[1])
print(led.generate([[3, 4, 5]], global_attention_mask=[[1, 0, 0]]).tolist())
print({name.split(".")[0] for name in sys.modules} & {
    "keras", "tensorflow", "jax", "torch", "transformers", "onnxruntime"})
"""


def test_no_backend_is_loaded(folder, led):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    mask = [[1, 0, 0]]
    expected = led.generate([[3, 4, 5]], global_attention_mask=mask).tolist()
    assert done.stdout == f"{expected}\nset()\n"


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        ({"input_ids": "A text."}, TypeError, "For texts there is `summarize`"),
        ({"input_ids": [3, 4]}, ValueError, r"the shape \(documents, tokens"),
        ({"input_ids": [[3, 300]]}, ValueError, r"ids in \[0, 300\)"),
        (
            {"input_ids": np.full((1, MAX_POSITIONS + 1), 5)},
            ValueError,
            "Received: 321 tokens",
        ),
        ({"attention_mask": [[1]]}, ValueError, "`attention_mask` must have"),
        ({"num_beams": 3}, ValueError, "`num_beams` is fixed in the export, t"),
        ({"num_beam": 2}, TypeError, "Did you mean 'num_beams'"),
        ({"seed": 3}, ValueError, "`seed` is for an export that samples"),
        ({"max_new_tokens": 8}, ValueError, "must be between 1 and 7"),
        ({"max_new_tokens": 2.5}, TypeError, "must be an integer"),
    ],
)
def test_bad_arguments_are_named(led, arguments, error, rule):
    with pytest.raises(error, match=rule):
        led.generate(**{"input_ids": [[3, 4, 5]], **arguments})


def test_an_option_of_the_export_may_be_repeated(led):
    assert led.generate(**documents(1, 7), num_beams=2).shape[0] == 1


def test_bad_folders_are_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent', which does not ex"):
        OpenVINOLED.from_pretrained(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="without openvino_model.xml"):
        OpenVINOLED.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="`device` and `settings` must.*ABAC"):
        OpenVINOLED.from_pretrained(folder, device="ABACUS")
    shutil.copytree(folder, tmp_path / "damaged")
    (tmp_path / "damaged" / "openvino_model.xml").write_text("<net")
    with pytest.raises(ValueError, match="damaged/openvino_model.xml must"):
        OpenVINOLED.from_pretrained(tmp_path / "damaged")


def test_threads_share_a_model(led):
    given = [documents(1, length) for length in (7, 23, 300) * 3]
    expected = [led.generate(**arrays) for arrays in given]
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda arrays: led.generate(**arrays), given))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_texts_a_document_are_no_summary(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "two")
    path = tmp_path / "two" / "generation_config.json"
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**content, "num_return_sequences": 2}))
    two = OpenVINOLED.from_pretrained(tmp_path / "two")
    with pytest.raises(ValueError, match="num_return_sequences=2. Use `gener"):
        two.summarize("a page")


def test_a_missing_runtime_is_named(folder, tmp_path, monkeypatch, longer):
    monkeypatch.setitem(sys.modules, "openvino", None)
    rule = r"pip install 'keras-led\[openvino\]'"
    with pytest.raises(ImportError, match=rule):
        OpenVINOLED.from_pretrained(folder)
    with pytest.raises(ImportError, match=rule):
        serving.export(longer[0], tmp_path / "out", format="openvino")

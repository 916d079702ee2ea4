"""ONNX folders that generate: the model's tokens, without the model."""

import json
import os
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
from typer.testing import CliRunner

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import serving
from keras_led.backend import name as backend_name
from keras_led.cli import app
from keras_led.formats import onnx as onnx_format
from keras_led.serving import OnnxLED
from tests.serving.conftest import TEXTS
from tests.serving.conftest import tiny_model

pytest.importorskip("onnxruntime")

MAX_POSITIONS = 320


def longer_model():
    """Reads 320 tokens: more than a block of queries."""
    small, tokenizer = tiny_model()
    config = LEDConfig.from_dict(
        {
            **small.config.to_dict(),
            "max_encoder_position_embeddings": MAX_POSITIONS,
            "decoder_layers": 2,
        }
    )
    model = LEDForConditionalGeneration(config)
    model.generation_config.update(max_length=8, forced_eos_token_id=2)
    return model, tokenizer


@pytest.fixture(scope="module")
def longer():
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes the files")
    return longer_model()


@pytest.fixture(scope="module")
def folder(longer, tmp_path_factory):
    model, tokenizer = longer
    path = tmp_path_factory.mktemp("onnx") / "led"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tf2onnx about its own calls
        return serving.export(
            model, path, tokenizer, format="onnx", no_repeat_ngram_size=2
        )


@pytest.fixture(scope="module")
def led(folder):
    return OnnxLED.from_pretrained(folder)


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


@pytest.mark.parametrize(
    ("batch", "length", "options"),
    [
        (1, 7, {"num_beams": 1}),
        (2, 300, {"num_beams": 1, "repetition_penalty": 1.4, "min_length": 5}),
        (3, 23, {"num_beams": 2, "no_repeat_ngram_size": 3}),
        (
            2,
            300,
            {
                "num_beams": 3,
                "length_penalty": 2.0,
                "early_stopping": True,
                "num_return_sequences": 2,
                "encoder_no_repeat_ngram_size": 2,
                "bad_words_ids": [[88], [150, 22]],
            },
        ),
    ],
)
def test_tokens_are_those_of_the_model(longer, led, batch, length, options):
    given = documents(batch, length)
    options = {"no_repeat_ngram_size": 2, **options}
    found = led.generate(**given, **options)
    expected = longer[0].generate(**given, **options)
    np.testing.assert_array_equal(found, np.asarray(expected))
    assert len(np.unique(found)) > 3


def test_options_of_the_export_are_where_it_starts_from(longer, led):
    assert led.generation_config.no_repeat_ngram_size == 2
    given = documents(1, 7)
    found = led.generate(given, max_new_tokens=5)
    expected = longer[0].generate(
        **given, max_new_tokens=5, no_repeat_ngram_size=2
    )
    np.testing.assert_array_equal(found, np.asarray(expected))


def test_a_prompt_is_continued(led):
    given = documents(2, 23)
    whole = led.generate(**given, num_beams=1, forced_eos_token_id=None)
    again = led.generate(
        **given,
        num_beams=1,
        forced_eos_token_id=None,
        decoder_input_ids=whole[:, :4],
    )
    np.testing.assert_array_equal(again, whole)


def test_draws_follow_the_seed(led):
    given = documents(2, 23)
    options = {"do_sample": True, "num_beams": 1, "temperature": 1.5}
    first, again, other = (
        led.generate(**given, **options, seed=seed) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    best = led.generate(**given, **{**options, "top_k": 1})
    np.testing.assert_array_equal(best, led.generate(**given, num_beams=1))


def test_summaries_are_those_of_the_model(longer, led):
    model, tokenizer = longer
    options = {"num_beams": 2, "no_repeat_ngram_size": 2}
    expected = model.summarize(
        list(TEXTS), tokenizer=tokenizer, batch_size=3, **options
    )
    assert led.summarize(list(TEXTS), batch_size=3, **options) == expected
    assert led.summarize(TEXTS[1], **options) == expected[1]


SCRIPT = """
import sys
from keras_led.serving import OnnxLED
led = OnnxLED.from_pretrained(sys.argv[1])
print(repr(led.summarize("Global tokens see it all!", num_beams=2)))
print({name.split(".")[0] for name in sys.modules} & {
    "keras", "tensorflow", "jax", "torch", "transformers", "openvino"})
"""


def test_no_backend_is_loaded(folder, led):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    text = led.summarize("Global tokens see it all!", num_beams=2)
    assert done.stdout == f"{text!r}\nset()\n"


def test_names_and_axes_are_those_of_optimum(folder):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    encoder, decoder = (
        onnxruntime.InferenceSession(str(folder / name), options)
        for name in ("encoder_model.onnx", "decoder_model_merged.onnx")
    )
    past = [
        f"past_key_values.{i}.{kind}.{x}"
        for i in range(2)
        for kind in ("decoder", "encoder")
        for x in ("key", "value")
    ]
    assert {x.name for x in decoder.get_inputs()} == {
        "encoder_attention_mask",
        "input_ids",
        "encoder_hidden_states",
        "use_cache_branch",
        *past,
    }
    assert [x.name for x in decoder.get_outputs()] == [
        "logits",
        *(name.replace("past_key_values", "present") for name in past),
        "cross_attentions.0",
        "cross_attentions.1",
    ]
    shapes = {x.name: x.shape for x in decoder.get_inputs()}
    assert shapes["input_ids"] == ["rows", "decoder_sequence_length"]
    assert shapes[past[2]] == [
        "documents",
        "heads",
        "encoder_sequence_length",
        "head_dim",
    ]
    # Who does not know of global attention gets it on the first token.
    assert [x.name for x in encoder.get_inputs()] == [
        "input_ids",
        "attention_mask",
    ]
    given = documents(1, 30)
    (expected,) = encoder.run(None, given)
    del given["global_attention_mask"]
    (found,) = encoder.run(None, given)
    np.testing.assert_array_equal(found, expected)
    files = {path.name for path in folder.iterdir()}
    assert files >= {"config.json", "generation_config.json", "tokenizer.json"}


OPTIMUM = """
import json, sys
try:
    import torch
    from optimum.onnxruntime import ORTModelForSeq2SeqLM
except Exception as error:
    sys.exit(f"optimum-onnx cannot be imported: {error}")
model = ORTModelForSeq2SeqLM.from_pretrained(sys.argv[1])
inputs, options = json.load(sys.stdin)
inputs = {name: torch.tensor(value) for name, value in inputs.items()}
print(model.generate(**inputs, **options).tolist())
"""


@pytest.mark.parametrize("beams", [1, 3])
def test_optimum_reads_the_folder(folder, led, beams):
    """`OPTIMUM_PATH` is a folder with it: it wants an older transformers.

    pip install --target FOLDER --no-deps "optimum-onnx==0.1.*"
        "optimum==2.1.*" "transformers==4.57.*" "huggingface_hub<1"
        "tokenizers<=0.23.0"
    """
    given = documents(3, 23)
    given["global_attention_mask"][0, 11] = 0  # which Optimum does not give
    options = {"num_beams": beams, "no_repeat_ngram_size": 2, "max_length": 8}
    inputs = {k: given[k].tolist() for k in ("input_ids", "attention_mask")}
    paths = [os.environ.get("OPTIMUM_PATH"), os.environ.get("PYTHONPATH")]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OPTIMUM, str(folder)],
        input=json.dumps([inputs, options]),
        env={**os.environ, "PYTHONPATH": ":".join(filter(None, paths))},
        capture_output=True,
        text=True,
    )
    if "cannot be imported" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    expected = led.generate(**given, **options)
    assert json.loads(done.stdout) == expected.tolist()


def test_the_forward_pass_is_the_first_branch(longer, led):
    given = documents(2, 140)
    target = np.random.default_rng(0).integers(5, 290, (2, 6))
    logits = longer[0](**given, decoder_input_ids=target).logits
    hidden = led._sessions.encode(**given)
    state = led._sessions.start_decoding(hidden, given["attention_mask"])
    found, _ = led._sessions.decode_step(target, state, 0)
    np.testing.assert_allclose(found.logits, np.asarray(logits), atol=1e-4)


def test_the_command_writes_8_bit_weights(longer, folder, led, tmp_path):
    model, tokenizer = longer
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    command = ["export", str(tmp_path / "model"), str(tmp_path / "int8")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(
            app, [*command, "--format", "onnx", "--quantize", "int8"]
        )
    assert result.exit_code == 0, result.output
    small = OnnxLED.from_pretrained(tmp_path / "int8")
    given = documents(2, 300)
    assert small.generate(**given, num_beams=2).shape[0] == 2
    exact, rounded = (x._sessions.encode(**given) for x in (led, small))
    error = np.abs(exact - rounded).max()
    assert 0 < error < 0.3 * np.abs(exact).max()


@pytest.mark.parametrize(
    ("arguments", "error", "rule"),
    [
        ({"input_ids": "A text."}, TypeError, "For texts there is `summarize`"),
        ({"input_ids": ["A text."]}, TypeError, "`input_ids` must be integers"),
        ({"input_ids": None}, TypeError, "`input_ids` must be integers"),
        ({"input_ids": [[1.5]]}, TypeError, "must hold integers"),
        ({"input_ids": [3, 4]}, ValueError, r"the shape \(documents, tokens"),
        ({"input_ids": [[3, 300]]}, ValueError, r"ids in \[0, 300\)"),
        (
            {"input_ids": np.full((1, MAX_POSITIONS + 1), 5)},
            ValueError,
            "Received: 321 tokens",
        ),
        ({"attention_mask": [[1]]}, ValueError, "`attention_mask` must have"),
        ({"num_beam": 2}, TypeError, "Did you mean 'num_beams'"),
        ({"num_beams": "2"}, TypeError, "`num_beams` must be an integer"),
        ({"stop_strings": ["."]}, ValueError, "`stop_strings`"),
        ({"output_scores": True}, ValueError, "`output_scores` is not offered"),
        ({"max_time": 3}, ValueError, "`max_time` is not offered"),
        ({"use_cache": False}, ValueError, "`use_cache` is not offered"),
        (
            {"penalty_alpha": 0.5, "top_k": 4},
            ValueError,
            "`penalty_alpha` is not offered",
        ),
        (
            {"decoder_attention_mask": [[1]]},
            ValueError,
            "`decoder_attention_mask` is not offered by `OnnxLED`",
        ),
        ({"max_new_tokens": 40}, ValueError, "must fit the decoder's 12"),
    ],
)
def test_bad_arguments_are_named(led, arguments, error, rule):
    with pytest.raises(error, match=rule):
        led.generate(**{"input_ids": [[3, 4, 5]], **arguments})


def test_bad_folders_are_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent', which does not ex"):
        OnnxLED.from_pretrained(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match="without encoder_model.onnx"):
        OnnxLED.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="`providers` must hold some of"):
        OnnxLED.from_pretrained(folder, providers=["AbacusProvider"])
    with pytest.raises(TypeError, match="`providers` must be a list"):
        OnnxLED.from_pretrained(folder, providers="CPUExecutionProvider")
    shutil.copytree(folder, tmp_path / "damaged")
    (tmp_path / "damaged" / "encoder_model.onnx").write_bytes(b"no model")
    with pytest.raises(ValueError, match="damaged/encoder_model.onnx must"):
        OnnxLED.from_pretrained(tmp_path / "damaged")


def test_a_folder_without_a_tokenizer_takes_ids_only(folder, tmp_path):
    names = ("encoder_model", "decoder_model_merged")
    for name in (*(f"{x}.onnx" for x in names), "config.json"):
        (tmp_path / name).symlink_to(folder / name)
    options = json.loads((folder / "generation_config.json").read_text())
    (tmp_path / "generation_config.json").write_text(json.dumps(options))
    led = OnnxLED.from_pretrained(tmp_path)
    assert led.generate(**documents(1, 7)).shape[0] == 1
    with pytest.raises(ValueError, match="was exported without one"):
        led.summarize("A text.")


def test_a_missing_runtime_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-led\[onnx\]'"):
        OnnxLED.from_pretrained(folder)


def test_weights_beyond_what_a_file_holds_are_refused(
    longer, tmp_path, monkeypatch
):
    monkeypatch.setattr(onnx_format, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="less than 2 GB of weights"):
        serving.export(longer[0], tmp_path / "out", format="onnx")
    assert not list(tmp_path.iterdir())


def test_other_backends_export_through_tensorflow(tmp_path):
    if backend_name != "torch":
        pytest.skip("one backend without TensorFlow is enough")
    model, tokenizer = longer_model()
    path = serving.export(model, tmp_path / "led", tokenizer, format="onnx")
    led = OnnxLED.from_pretrained(path)
    given = documents(2, 23)
    expected = model.generate(**given, num_beams=2).numpy()
    np.testing.assert_array_equal(led.generate(**given, num_beams=2), expected)

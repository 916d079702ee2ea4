"""Writing an export: what is refused, replaced, left whole, added."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from keras_led import GenerationConfig
from keras_led import serving
from keras_led.backend import name as backend_name
from keras_led.cli import app
from keras_led.formats import other_process
from keras_led.serving.exported_folder import write_folder
from tests.serving.conftest import TEXTS
from tests.serving.conftest import tiny_model
from tests.serving.conftest import warmup_requests

CLIENT = """
import json, sys
import tensorflow as tf
import tensorflow_text
served = tf.saved_model.load(sys.argv[1]).signatures["summarize"]
found = served(text=tf.constant(json.load(sys.stdin)))["summary"].numpy()
print(json.dumps([text.decode() for text in found]))
"""


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"penalty_alpha": 0.5, "top_k": 4, "num_beams": 1}, "contrastive"),
        ({"prompt_lookup_num_tokens": 3, "num_beams": 1}, "lookup"),
        ({"stop_strings": ["."]}, "`stop_strings` runs Python"),
        ({"max_new_tokens": 13}, "must fit the decoder's 12 positions"),
        (
            {"output_scores": True, "format": "onnx"},
            "`output_scores` is not offered",
        ),
    ],
)
def test_what_a_graph_cannot_do_is_refused(tmp_path, options, rule):
    model, _ = tiny_model()
    with pytest.raises(ValueError, match=rule):
        serving.export(model, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_none_keeps_its_meaning_in_a_folder(tmp_path):
    model, _ = tiny_model()
    write_folder(tmp_path, model, None, {"do_sample": True, "top_k": None})
    assert GenerationConfig.from_pretrained(tmp_path).top_k == 0


def test_unknown_option_is_refused(tmp_path):
    model, _ = tiny_model()
    with pytest.raises(TypeError, match="num_beam"):
        serving.export(model, tmp_path / "out", num_beam=3)


def test_directory_in_use_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="--force"):
        serving.export(None, tmp_path)
    result = CliRunner().invoke(app, ["export", "no-model", str(tmp_path)])
    assert result.exit_code == 1
    assert "FileExistsError" in result.stderr


def test_failure_leaves_the_old_export_whole(pair, tmp_path, monkeypatch):
    from keras_led.serving import saved_model

    model, _ = pair
    (tmp_path / "old").touch()

    def fail(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(saved_model, "write_warmup", fail)
    monkeypatch.setattr(
        saved_model.ServedModel, "signatures", lambda served: {}
    )
    with pytest.raises(OSError, match="No space left"):
        serving.export(model, tmp_path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["old"]
    assert not list(tmp_path.parent.glob(f".{tmp_path.name}*"))


def test_warm_up_requests_can_be_made(exported, signatures):
    import tensorflow as tf

    requests = warmup_requests(exported)
    for name, inputs in requests:
        inputs = {key: tf.constant(value) for key, value in inputs.items()}
        assert signatures[name](**inputs)
    assert [name for name, _ in requests] == ["serving_default", "summarize"]


@pytest.mark.parametrize("ends", [None, [2, 3]])
def test_a_model_of_no_end_token_or_several_is_exported(
    pair, tmp_path, monkeypatch, ends
):
    from keras_led.serving import saved_model

    model, _ = pair
    monkeypatch.setattr(model.config, "eos_token_id", ends)
    monkeypatch.setattr(
        saved_model.ServedModel, "signatures", lambda served: {}
    )
    path = serving.export(model, tmp_path / "1", eos_token_id=ends)
    ((_, inputs),) = warmup_requests(path)
    assert inputs["input_ids"].shape == (1, 2)


def test_other_backends_export_through_tensorflow(tmp_path):
    if backend_name != "torch":
        pytest.skip("one backend without TensorFlow is enough")
    model, tokenizer = tiny_model()
    path = serving.export(model, tmp_path / "1", tokenizer, num_beams=1)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(path)],
        input=json.dumps(TEXTS),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    expected = model.summarize(
        list(TEXTS), tokenizer=tokenizer, num_beams=1, batch_size=3
    )
    assert json.loads(done.stdout) == expected


def test_flags_of_the_command_reach_the_other_process(monkeypatch, tmp_path):
    if backend_name != "torch":
        pytest.skip("one backend without TensorFlow is enough")
    seen = []
    monkeypatch.setattr(other_process, "run_command", seen.append)
    flags = "--format saved_model --num-beams 3 --no-early-stopping --no-text"
    command = ["export", "model", str(tmp_path / "1"), *flags.split()]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert seen[0][:3] == command[:3]
    assert sorted(seen[0][3:]) == sorted(command[3:])


def test_failure_of_the_other_process_is_one_line(tmp_path):
    if backend_name != "torch":
        pytest.skip("one backend without TensorFlow is enough")
    absent = str(tmp_path / "absent")
    with pytest.raises(RuntimeError, match="which failed: keras-led: .*absent"):
        other_process.run_command(["export", absent, str(tmp_path / "out")])

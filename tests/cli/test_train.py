"""`keras-led train` and `evaluate` on a corpus of a few lines."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from keras.ops import convert_to_numpy
from safetensors.numpy import load_file
from typer.testing import CliRunner

from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led.backend import name as running_backend
from keras_led.cli import app
from keras_led.data import Seq2SeqDataset
from keras_led.files import one_at_a_time
from keras_led.files import push_to_hub
from keras_led.models.adapters import merge_adapters
from keras_led.training.adapter_files import load_adapters
from tests.data.tokenizers import ROWS
from tests.files.fake_hub import running_hub
from tests.files.fake_hub import uploaded
from tests.files.folders import read_bytes

SETTINGS = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "attention_window": 8,
    "dropout": 0.1,
}
pytestmark = pytest.mark.skipif(
    running_backend != "torch",
    reason="the command is the same on all backends, and graphs build slowly; "
    "tests/training/test_backup.py resumes on each",
)
TALKATIVE = {"TF_CPP_MIN_LOG_LEVEL": "0"}
STEPS = 6  # 11 rows in batches of 2


def run(*arguments):
    return CliRunner().invoke(app, [str(x) for x in arguments])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return path


def options(corpus, output, *more):
    values = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    return [
        *("train", corpus, "--output", output, "--vocab-size", 261),
        *("--max-source-tokens", 64, "--bucket", 64, "--batch-size", 2),
        *("--max-target-tokens", 16, "--epochs", 2, "--save-every", 2),
        *("--learning-rate", 0.01, "--log-every", 1, *values, *more),
    ]


@pytest.fixture(scope="module")
def finished(corpus, tmp_path_factory):
    """The folder of a run that nothing interrupted, and its output."""
    output = tmp_path_factory.mktemp("runs") / "whole"
    done = run(*options(corpus, output, "--json"))
    assert done.exit_code == 0, done.output
    return output, done


def test_documents_in_and_a_checkpoint_out(finished):
    output, done = finished
    result = json.loads(done.stdout)
    history = json.loads((output / "history.json").read_text("utf-8"))
    assert result["epochs"] == len(history) == 2
    assert result["loss"] == history[1]["loss"] < history[0]["loss"]
    model = LEDForConditionalGeneration.from_pretrained(output)
    assert model.config.d_model == 16
    assert f"step {STEPS}/{STEPS}" in done.stderr
    assert not (output / "run" / "state.npz").exists()


def test_a_killed_run_ends_as_one_that_was_not(corpus, finished, tmp_path):
    arguments = [str(x) for x in options(corpus, tmp_path / "killed")]
    with subprocess.Popen(
        [sys.executable, "-m", "keras_led", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **TALKATIVE},
    ) as process:
        # TensorFlow is neither needed nor heard of.
        assert next(process.stderr).startswith("Learning a tokenizer")
        for line in process.stderr:
            if "epoch 1/2, step 5/" in line:
                process.kill()  # SIGKILL: nothing can be tidied up
                break
    assert process.returncode < 0
    assert not (tmp_path / "killed" / "history.json").exists()
    done = run(*arguments, "--resume")
    assert done.exit_code == 0, done.output
    assert "Resuming at epoch 1, step 4 of 6." in done.stderr
    whole, _ = finished
    expected = load_file(whole / "model.safetensors")
    found = load_file(tmp_path / "killed" / "model.safetensors")
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6, err_msg=name)


def test_a_finished_run_is_left_alone(corpus, finished):
    output, done = finished
    before = (output / "model.safetensors").read_bytes()
    again = run(*options(corpus, output, "--json", "--resume"))
    assert again.exit_code == 0
    assert json.loads(again.stdout) == json.loads(done.stdout)
    assert "is finished" in again.stderr
    assert (output / "model.safetensors").read_bytes() == before


def test_a_new_run_leaves_the_former_checkpoint_until_its_own(
    corpus, finished, tmp_path
):
    output = tmp_path / "again"
    shutil.copytree(finished[0], output)
    before = read_bytes(output)
    more = ("--force", "--set", "d_model=8", "--vocab-size", 262)
    stopped = run(*options(corpus, output, *more, "--stop-after", 0))
    assert stopped.exit_code == 75, stopped.output
    own = {x for x in read_bytes(output) if x.startswith("run/")}
    assert own > {"run/settings.json", "run/state.npz"}
    now = read_bytes(output)
    assert {x: now[x] for x in now.keys() - own} == {
        x: before[x] for x in before.keys() - own
    }
    done = run(*options(corpus, output, *more[1:], "--resume"))
    assert done.exit_code == 0, done.output
    model = LEDForConditionalGeneration.from_pretrained(output)
    assert model.config.d_model == 8
    assert len(LEDTokenizer.from_pretrained(output)) == 262
    assert [x.name for x in (output / "run").iterdir()] == ["settings.json"]


def test_a_folder_has_one_run_at_a_time(corpus, tmp_path):
    output = tmp_path / "runs" / "busy"
    with one_at_a_time(output, None):
        done = run(*options(corpus, output, "--resume"))
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert "`--output` must not be in use by another run" in line
    assert f"--output {output}, in which another process is training" in line
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "`--output` must not hold a run yet"),
        (("--resume", "--batch-size", 3), "`batch_size` .* batch_size=3"),
    ],
)
def test_a_run_is_not_overwritten(corpus, finished, more, message):
    done = run(*options(corpus, finished[0], *more))
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert re.search(message, line), line


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--set", "max_decoder_position_embeddings=12"), "at most 12"),
        (("--schedule", "steep"), "--schedule steep"),
        (("--rouge-documents", 2), "needs `--validation`"),
        (("--set", "d_model=15"), "d_model"),
    ],
)
def test_a_run_that_cannot_start_leaves_nothing(
    corpus, tmp_path, more, message
):
    done = run(*options(corpus, tmp_path / "out", *more))
    assert done.exit_code == 1
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_a_run_that_fails_before_its_first_backup_leaves_what_was_there(
    corpus, tmp_path, monkeypatch
):
    def fail(model, *args, **kwargs):
        assert (tmp_path / "run" / "settings.json").exists()
        raise ValueError("the first step")

    monkeypatch.setattr(LEDForConditionalGeneration, "fit", fail)
    (tmp_path / "notes.txt").write_text("mine")
    done = run(*options(corpus, tmp_path))
    assert "the first step" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "files", [["-"], ["rows.jsonl", "-", "-"], ["a.jsonl", "--validation", "-"]]
)
def test_standard_input_is_read_once(tmp_path, files):
    more = ("--vocab-size", 300, "--rouge-documents", 3)
    done = run("train", *files, "-o", tmp_path / "out", *more)
    assert done.exit_code == 1
    assert "Standard input must be read once" in done.stderr


def test_a_bad_row_is_named_by_file_and_line(corpus, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text(corpus.read_text("utf-8") + '{"document": "x"}\n', "utf-8")
    done = run(*options(path, tmp_path / "out"))
    assert done.exit_code == 1
    line = done.stderr.splitlines()[-1]
    assert f"bad.jsonl:{len(ROWS) + 1}" in line and "summary" in line


def test_summaries_longer_than_the_model_writes_are_refused(corpus, tmp_path):
    short = ("--set", "max_decoder_position_embeddings=12")
    done = run(*options(corpus, tmp_path / "out", *short))
    assert done.exit_code == 1
    assert "`--max-target-tokens` must be at most 12" in done.stderr


def test_evaluate_scores_summaries(corpus, finished, tmp_path):
    predictions = tmp_path / "found.jsonl"
    done = run(
        *("evaluate", corpus, "-m", finished[0], "--limit", 2, "--json"),
        *("--max-new-tokens", 4, "--predictions", predictions),
    )
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)
    assert scores["documents"] == 2
    assert 0 <= scores["rougeL"] <= 100
    lines = [json.loads(x) for x in predictions.read_text().splitlines()]
    assert [x["reference"] for x in lines] == [
        row["summary"] for row in ROWS[:2]
    ]


def test_what_is_uploaded_names_no_path_of_this_machine(
    corpus, finished, tmp_path, monkeypatch
):
    base = shutil.copytree(finished[0], tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    config["_name_or_path"] = str(base)  # as older transformers wrote
    (base / "config.json").write_text(json.dumps(config))
    output = tmp_path / "out"
    done = run(*tuned(corpus, base, output, "--lora-rank", 2))
    assert done.exit_code == 0, done.output
    with running_hub(monkeypatch) as hub:
        push_to_hub(output, "owner/name", token="hf_test")
    found = uploaded(hub)
    assert {"config.json", "adapters/adapter_config.json"} < found.keys()
    for name, content in found.items():
        for path in (tmp_path, corpus.parent):
            assert bytes(path) not in content, name


def tuned(corpus, base, output, *more):
    """Flags that fine-tune `base` for an epoch."""
    return [
        *("train", corpus, "--output", output, "--model", base, "--epochs", 1),
        *("--max-source-tokens", 64, "--bucket", 64, "--batch-size", 2),
        *("--max-target-tokens", 16, "--learning-rate", 0.01, *more),
    ]


def changed_weights(base, output):
    """Names of the weights that are not those of `base`."""
    before = load_file(base / "model.safetensors")
    after = load_file(output / "model.safetensors")
    assert after.keys() == before.keys()
    return {k for k, v in before.items() if not np.array_equal(v, after[k])}


def test_adapters_are_merged_and_kept_apart_also_in_a_stopped_run(
    corpus, finished, tmp_path
):
    base, _ = finished
    flags = [
        *("--lora-rank", 2, "--lora-alpha", 6, "--lora-targets", "value"),
        *("--lora-targets", "fc1", "--strip-bos", "--label-smoothing", 0.1),
    ]
    done = run(*tuned(corpus, base, tmp_path / "whole", *flags))
    assert done.exit_code == 0, done.output
    changed = changed_weights(base, tmp_path / "whole")
    assert len(changed) == 6  # local, global, two of the decoder; two fc1
    assert all(
        re.search(r"(value|v_proj|value_global|fc1)\.", x) for x in changed
    )
    adapted = LEDForConditionalGeneration.from_pretrained(base)
    load_adapters(adapted, tmp_path / "whole" / "adapters")
    merge_adapters(adapted)
    merged = LEDForConditionalGeneration.from_pretrained(tmp_path / "whole")
    for one, other in zip(adapted.weights, merged.weights, strict=True):
        np.testing.assert_allclose(
            convert_to_numpy(one), convert_to_numpy(other), atol=1e-6
        )
    stopped = tuned(corpus, base, tmp_path / "stopped", *flags)
    assert run(*stopped, "--stop-after", 0).exit_code == 75
    assert not (tmp_path / "stopped" / "adapters").exists()
    done = run(*stopped, "--resume")
    assert done.exit_code == 0, done.output
    assert "Resuming at epoch 1, step 1 of 6." in done.stderr
    for name in ("model.safetensors", "adapters/adapter_model.safetensors"):
        expected = load_file(tmp_path / "whole" / name)
        for key, value in load_file(tmp_path / "stopped" / name).items():
            np.testing.assert_allclose(value, expected[key], atol=1e-6)


def test_frozen_parts_stay(corpus, finished, tmp_path):
    flags = ("--freeze", "embeddings", "--freeze-encoder-layers", 1)
    done = run(*tuned(corpus, finished[0], tmp_path, *flags))
    assert done.exit_code == 0, done.output
    changed = changed_weights(finished[0], tmp_path)
    assert changed
    assert all(name.startswith("led.decoder.layers.") for name in changed)
    trained, total = re.search(
        r"Training (\S+) of (\S+) weights", done.stderr
    ).groups()
    assert 0 < int(trained.replace(",", "")) < int(total.replace(",", ""))


def test_labels_and_their_loss_are_as_flags_say(corpus, finished, tmp_path):
    """The loss of the first step, before any weight has changed."""
    base, _ = finished
    found = []
    for flags in ((), ("--label-smoothing", 0.5), ("--strip-bos",)):
        output = tmp_path / str(len(found))
        more = ("--set", "dropout=0", "--set", "attention_dropout=0", *flags)
        rate = ("--learning-rate", 0, "--json")
        done = run(*tuned(corpus, base, output, *more, *rate))
        assert done.exit_code == 0, done.output
        found.append(json.loads(done.stdout)["loss"])
    assert found[1] > found[0] + 0.1
    model = LEDForConditionalGeneration.from_pretrained(output)
    data = Seq2SeqDataset(
        corpus,
        LEDTokenizer.from_pretrained(output),
        batch_size=2,
        max_source_tokens=64,
        max_target_tokens=16,
        buckets=[64],
        strip_bos=True,
    )
    losses = [model({**x, "labels": y}).loss for x, y in data]
    mean = np.mean([float(convert_to_numpy(loss)) for loss in losses])
    assert found[2] == pytest.approx(mean, rel=1e-4)
    assert abs(found[2] - found[0]) > 0.01


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ("--lora-targets", "fc1"),
            "`--lora-targets` belongs to `--lora-rank`",
        ),
        (("--lora-alpha", 2), "`--lora-alpha` belongs to `--lora-rank`"),
        (
            ("--lora-rank", 2, "--lora-targets", "fc3"),
            "`--lora-targets` must be .* Received: --lora-targets fc3",
        ),
        (("--freeze", "tail"), "among embeddings, .* Received: --freeze tail"),
        (
            ("--lora-rank", 2, "--freeze", "encoder"),
            "`--freeze` must not stand beside `--lora-rank`",
        ),
    ],
)
def test_flags_of_what_trains_are_checked_first(
    corpus, finished, tmp_path, flags, message
):
    done = run(*tuned(corpus, finished[0], tmp_path / "out", *flags))
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert re.search(message, line), line
    assert not (tmp_path / "out").exists()


def test_a_run_that_diverges_fails_and_saves_no_model(corpus, tmp_path):
    output = tmp_path / "out"
    done = run(*options(corpus, output, "--learning-rate", 1e4))
    assert done.exit_code != 0
    assert "diverges" in done.output
    assert "--learning-rate" in done.output
    assert not (output / "model.safetensors").exists()

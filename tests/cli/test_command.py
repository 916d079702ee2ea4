"""The start of `keras-led`, in processes of its own."""

import os
import subprocess
import sys

import pytest

from keras_led.backend.block_layout import ON_CPU
from keras_led.cli.info import QUERY_BLOCK
from keras_led.cli.starting import quiet_standard_error

# Runs the command and writes, at its end, which of these it has imported.
HEAVY = ("keras", "tensorflow", "jax", "torch")
SCRIPT = f"""
import atexit, sys
atexit.register(
    lambda: print(
        "imported", *({{*{HEAVY}}} & set(sys.modules)), file=sys.stderr
    )
)
from keras_led.cli import app
app()
"""


def run(code, *arguments, **environment):
    return subprocess.run(
        [sys.executable, *code, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def start(*arguments, **environment):
    return run(["-m", "keras_led"], *arguments, **environment)


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (["--help"], 0, "summarize"),
        (["--version"], 0, "keras-led "),
        (["train", "--help"], 0, "--lora-rank"),
        (["summarize", "a.txt", "--num-beams", "some"], 2, "--num-beams"),
        (["bench", "-m", "led-tiny", "--repeats", "0"], 2, "--repeats"),
        (["train", "a.jsonl"], 2, "--output"),
        (["export", "--no-such-flag"], 2, "--no-such-flag"),
        (["evaluate", "a.csv", "--backend", "mxnet"], 1, "mxnet"),
        (["bench", "-m", "led-tiny", "--tokens", "9999"], 1, "at most 4096"),
        (["info", "led-tiny"], 0, "5,841,344"),
        (["info", "led-tiny", "--backend", "jax"], 0, "5,841,344"),
        (["info", "nowhere/at-all"], 1, "nowhere/at-all"),
    ],
)
def test_what_needs_no_model_imports_no_keras(arguments, code, shown):
    done = run(["-c", SCRIPT], *arguments, HF_HUB_OFFLINE="1")
    assert done.returncode == code, done.stderr
    *lines, imported = done.stderr.splitlines()
    assert shown in done.stdout + "".join(lines)
    assert imported == "imported"


def test_the_estimate_of_info_counts_the_blocks_of_a_cpu():
    assert (ON_CPU.query_block, ON_CPU.blocks_per_step) == (QUERY_BLOCK, 1)


def test_backend_option_beats_the_environment_and_nothing_is_chatty(tmp_path):
    # The file is missing on purpose: the command ends before any model.
    arguments = ["summarize", str(tmp_path / "absent.txt"), "-m", "m"]
    done = start(*arguments, "--backend", "tensorflow", KERAS_BACKEND="jax")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("keras-led: FileNotFoundError: ")


def test_unknown_backend_is_one_line():
    done = start("summarize", "a.txt", "-m", "m", "--backend", "mxnet")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("keras-led: ValueError: ")
    assert "mxnet" in line


def test_held_back_text_comes_out_with_an_exception(capfd):
    def fail():
        with quiet_standard_error():
            os.write(2, b"a note from C++\n")
            raise ImportError("no such backend")

    with pytest.raises(ImportError, match="no such backend"):
        fail()
    assert capfd.readouterr().err == "a note from C++\n"


def test_held_back_text_is_dropped_without_one(capfd):
    with quiet_standard_error():
        os.write(2, b"a note from C++\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_nobody_at_the_other_end_is_no_error(tmp_path):
    # A pipe without a reader, as after `| head -1`.
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "keras_led", "info", "led-tiny"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    # TensorFlow notes there that this machine has no GPU.
    assert "keras-led" not in done.stderr and "Error:" not in done.stderr
    assert "Traceback" not in done.stderr

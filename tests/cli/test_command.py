"""The starter of `keras-led`, in processes of its own."""

import os
import subprocess
import sys

import pytest

import keras_led_command


def start(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "keras_led_command", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "backend"),
    [
        (["summarize", "a.txt", "--backend", "jax"], "jax"),
        (["summarize", "--backend=torch", "a.txt"], "torch"),
        (["summarize", "a.txt"], None),
        (["summarize", "--backend", "torch", "-", "a.txt", "b.txt"], "torch"),
        (["info", "x", "--backend", "torch", "--backend=jax"], "jax"),
        (["summarize", "--", "--backend", "jax"], None),
        (["summarize", "--backend"], None),
    ],
)
def test_backend_is_read_from_the_command_line(arguments, backend):
    assert keras_led_command.backend_argument(arguments) == backend


@pytest.mark.parametrize(
    ("before", "arguments", "after"),
    [
        ({}, [], "2"),
        ({}, ["--debug"], None),
        ({"TF_CPP_MIN_LOG_LEVEL": "0"}, [], "0"),
    ],
)
def test_notes_of_tensorflow_are_for_debugging(before, arguments, after):
    keras_led_command.prepare(before, ["summarize", "a.txt", *arguments])
    assert before.get("TF_CPP_MIN_LOG_LEVEL") == after


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
        with keras_led_command.quiet_standard_error():
            os.write(2, b"a note from C++\n")
            raise ImportError("no such backend")

    with pytest.raises(ImportError, match="no such backend"):
        fail()
    assert capfd.readouterr().err == "a note from C++\n"


def test_held_back_text_is_dropped_without_one(capfd):
    with keras_led_command.quiet_standard_error():
        os.write(2, b"a note from C++\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_nobody_at_the_other_end_is_no_error(tmp_path):
    # A pipe without a reader, as after `| head -1`.
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "keras_led_command", "info", "led-tiny"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    # TensorFlow notes there that this machine has no GPU.
    assert "keras-led" not in done.stderr and "Error:" not in done.stderr
    assert "Traceback" not in done.stderr

"""Exporting with TensorFlow from a process that runs JAX or PyTorch."""

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from keras_led.typing import AnyLED
from keras_led.typing import GeneratingLED

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


def run_command(arguments: list[str]) -> None:
    """Runs `keras-led` in a process of its own, with TensorFlow.

    Args:
        arguments: list of str, those of the command.

    Raises:
        RuntimeError: If it fails; the message is the command's own.
    """
    _run_module("keras_led", *arguments)


def write_model_elsewhere(
    model: AnyLED, path: Path, request: dict[str, Any]
) -> None:
    """Saves the model and lets TensorFlow write its forward pass.

    Args:
        model: an LED model, with any head.
        path: `pathlib.Path` of what is to be written.
        request: dict of the other arguments of `model_export.write_model`.

    Raises:
        RuntimeError: If the process fails.
        ValueError: If the process cannot import the model's class.
    """
    cls = type(model)
    if cls.__module__ == "__main__":
        raise ValueError(
            "The class of the model must stand in a module: a process with "
            f"TensorFlow imports it. Received: `{cls.__name__}`, defined in "
            "the program itself. Move it to a file, or run the export under "
            "KERAS_BACKEND=tensorflow."
        )
    import keras  # the command, which runs others, does without

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        policy = keras.dtype_policies.serialize(model.dtype_policy)
        job = {
            "class": [cls.__module__, cls.__qualname__],
            "folder": folder,
            "dtype": policy,
            "max_global_tokens": model.max_global_tokens,
            "path": os.path.abspath(path),
            "request": request,
        }
        _run_module("keras_led.formats.worker", text=json.dumps(job))


def _run_module(name, *arguments, text=None):
    if find_spec("tensorflow") is None:
        raise ImportError(
            "Exports are written by TensorFlow, which is not installed. Run: "
            "pip install 'keras-led[tensorflow]'"
        )
    done = subprocess.run(
        [sys.executable, "-m", name, *arguments],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        input=text,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise RuntimeError(
            "The export runs TensorFlow in a process of its own, which "
            f"failed: {lines[-1]}"
        )


def export_elsewhere(
    model: GeneratingLED,
    path: Path,
    tokenizer: "LEDTokenizer | None",
    flags: dict[str, Any],
    options: dict[str, Any],
) -> None:
    """Saves the model and lets TensorFlow export it.

    Args:
        model: `LEDForConditionalGeneration`.
        path: `pathlib.Path` of the export.
        tokenizer: `LEDTokenizer`, or `None` for no text.
        flags: dict of the flags of `keras-led export`, see `as_arguments`.
        options: dict of generation options.

    Raises:
        RuntimeError: If the process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        model.generation_config.copy(**options).save_pretrained(folder)
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)
        flags = {**flags, "no_text": tokenizer is None or None}
        run_command(["export", folder, str(path), *as_arguments(flags)])


def as_arguments(flags: dict[str, Any]) -> list[str]:
    """Spells flags out for a command line.

    Args:
        flags: dict of names, with underscores, to values; `None` is left
            out, `True` is a flag alone, and `False` one with "no" before it.

    Returns:
        List of str.
    """
    arguments = []
    for name, value in flags.items():
        name = name.replace("_", "-")
        if value is True or value is False:
            arguments.append(f"--{name}" if value else f"--no-{name}")
        elif value is not None:
            arguments += [f"--{name}", str(value)]
    return arguments

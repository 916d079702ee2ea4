"""Writing a SavedModel, whatever backend trained the model."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from keras_led import backend
from keras_led.files.atomic import replaced_directory
from keras_led.generation.config import GenerationConfig
from keras_led.generation.plan import make_plan

# What a graph cannot do: run Python between two tokens.
_PYTHON_OPTIONS = ("stop_strings", "max_time")


def export(
    model,
    path,
    tokenizer=None,
    *,
    overwrite=False,
    max_new_tokens_input=False,
    **options,
):
    """Writes a TensorFlow SavedModel that generates.

    It needs TensorFlow to run, and with a tokenizer tensorflow-text, but not
    keras_led. Its signatures:

    - `serving_default`: `input_ids` and `attention_mask`, int32 `(B, L)`, to
      `sequences`, int32 `(B * num_return_sequences, T)`; with beams also
      `sequences_scores`. Global attention is on the first token.
    - `summarize`, with a tokenizer: `text`, string `(B,)`, to `summary`.
      Longer texts are cut to what the model reads.
    - `encode`: `input_ids`, `attention_mask`, `global_attention_mask` to
      `last_hidden_state`, float32 `(B, L, D)`.
    - `forward`: those and `decoder_input_ids` to `logits`.

    The tokens are exactly those of `model.generate`. `assets.extra` holds
    requests with which TensorFlow Serving warms up.

    Args:
        model: `LEDForConditionalGeneration`, of any backend. Under JAX and
            PyTorch a process of its own, with TensorFlow, writes it.
        path: str or path of a new directory.
        tokenizer: `LEDTokenizer`, or `None` for no text.
        overwrite: bool, replace what is at `path`, once the new export is
            complete.
        max_new_tokens_input: bool, let `serving_default` and `summarize` take
            `max_new_tokens`, an int32 scalar, at most the exported one.
        **options: generation options that are fixed in the export; the
            others are `model.generation_config`'s.

    Returns:
        `pathlib.Path` of the export.

    Raises:
        FileExistsError: If `path` is not empty and `overwrite` is `False`.
        TypeError: If an option is unknown.
        ValueError: If an option cannot be exported, or does not fit.
        RuntimeError: If the process with TensorFlow fails.
    """
    path = Path(path)
    check_target(path, overwrite)
    own = GenerationConfig().resolve(model.generation_config, **options)
    plan = make_plan(
        own,
        prompt_length=1,
        limit=model.config.max_decoder_position_embeddings,
        vocab_size=model.config.vocab_size,
        explicit=set(options),
    )
    _check_plan(plan)
    if backend.name != "tensorflow":
        _export_elsewhere(
            model, path, tokenizer, overwrite, max_new_tokens_input, options
        )
        return path
    import tensorflow as tf

    from keras_led.serving.signatures import ServedModel
    from keras_led.serving.warmup import write_warmup

    text = None
    if tokenizer is not None:
        from keras_led.serving.text import GraphTokenizer

        limit = model.config.max_encoder_position_embeddings
        text = GraphTokenizer(tokenizer, limit)
    served = ServedModel(model, plan, text, max_new_tokens_input)
    with replaced_directory(path) as staging:
        tf.saved_model.save(
            served, str(staging), signatures=served.signatures()
        )
        write_warmup(staging, _warmup_requests(model, plan, text, served))
    return path


def check_target(path, overwrite):
    """Refuses a directory that holds something.

    Raises:
        FileExistsError: If it does and `overwrite` is `False`.
    """
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise FileExistsError(
            "`path` must be a new or an empty directory. "
            f"Received: path={path}, which is not empty. Pass "
            "overwrite=True (--force) to replace it."
        )


def run_command(arguments):
    """Runs `keras-led` in a process of its own, with TensorFlow.

    Args:
        arguments: list of str, those of the command.

    Raises:
        RuntimeError: If it fails; the message is the command's own.
    """
    done = subprocess.run(
        [sys.executable, "-m", "keras_led_command", *arguments],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise RuntimeError(
            "The export runs TensorFlow in a process of its own, which "
            f"failed: {lines[-1]}"
        )


def _check_plan(plan):
    """Refuses what a graph cannot do."""
    options = plan.options
    python = [name for name in _PYTHON_OPTIONS if options[name] is not None]
    if python:
        raise ValueError(
            f"`{python[0]}` runs Python between two tokens, which an export "
            f"cannot. Received: {python[0]}={options[python[0]]!r}. Leave it "
            "out."
        )
    if plan.mode not in ("token", "beam"):
        raise ValueError(
            "Greedy search, sampling and beam search can be exported. "
            f"Received: options of {plan.mode} search."
        )


def _warmup_requests(model, plan, text, served):
    """One small request for each signature that generates."""
    config = model.config
    ids = [[config.bos_token_id, config.eos_token_id]]
    most = plan.max_length - plan.prompt_length
    limit = {"max_new_tokens": min(2, most)} if served.limit_is_input else {}

    def with_limit(inputs):
        return {**inputs, **limit}

    requests = [
        (
            "serving_default",
            with_limit({"input_ids": ids, "attention_mask": [[1, 1]]}),
        )
    ]
    if text is not None:
        requests.append(("summarize", with_limit({"text": ["Warm up."]})))
    return requests


def _export_elsewhere(
    model, path, tokenizer, overwrite, max_new_tokens_input, options
):
    """Saves the model and lets TensorFlow export it."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        model.generation_config.copy(**options).save_pretrained(folder)
        arguments = ["export", folder, str(path)]
        if tokenizer is None:
            arguments.append("--no-text")
        else:
            tokenizer.save_pretrained(folder)
        if overwrite:
            arguments.append("--force")
        if max_new_tokens_input:
            arguments.append("--max-new-tokens-input")
        run_command(arguments)

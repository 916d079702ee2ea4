"""Batches of an `LEDSeq2SeqLM` through the compiled loop of LED itself."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

import keras
import numpy as np

from keras_led.hub.hub_core import GLOBAL_MASK
from keras_led.hub.samplers import LEDSampler
from keras_led.hub.text_values import read_texts

if TYPE_CHECKING:
    from keras_led.hub.seq2seq_lm import LEDSeq2SeqLM
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )

# One text a document, whatever the checkpoint says.
_ONE_TEXT = {"num_return_sequences": 1, "return_dict_in_generate": False}


def batches_of(inputs: Any, are_texts: bool) -> tuple[Iterable[Any], bool]:
    """The batches of what `generate` was given.

    Args:
        inputs: text, list of texts, dict of either or of arrays, or
            `tf.data.Dataset` of batches.
        are_texts: bool, whether there is a preprocessor.

    Returns:
        Pair of an iterable of batches, and a bool, whether the input was a
        single document.

    Raises:
        TypeError: If something is no text.
        ValueError: If the elements of a dataset are no batches.
    """
    if hasattr(inputs, "as_numpy_iterator"):
        return _checked_batches(inputs, are_texts), False
    if not _is_single(inputs, are_texts):
        return [inputs], False
    if not are_texts:
        return [{name: _to_numpy(x)[None] for name, x in inputs.items()}], True
    if isinstance(inputs, dict):
        return [{k: read_texts(k, x)[0] for k, x in inputs.items()}], True
    return [read_texts("inputs", inputs)[0]], True


def _is_single(inputs, are_texts):
    """Whether there is one document, and no first axis for more."""
    name = "encoder_text" if are_texts else "encoder_token_ids"
    first = inputs.get(name) if isinstance(inputs, dict) else inputs
    if isinstance(first, (str, bytes)):
        return True
    return len(getattr(first, "shape", (1, 1))) == (0 if are_texts else 1)


def _checked_batches(dataset, are_texts):
    for batch in dataset.as_numpy_iterator():
        if _is_single(batch, are_texts):
            raise ValueError(
                "`inputs` must be a `tf.data.Dataset` of batches. Received: "
                "one of single documents. Call its `batch` first."
            )
        yield batch


def read_stop_tokens(stop_token_ids: Any) -> list[int] | str | None:
    """Checks `stop_token_ids`, which may be one token.

    Returns:
        "auto", `None`, or list of int.

    Raises:
        ValueError: If it is something else.
    """
    if stop_token_ids is None:
        return None
    if isinstance(stop_token_ids, str) and stop_token_ids == "auto":
        return "auto"
    ids = np.atleast_1d(_to_numpy(stop_token_ids))
    if ids.dtype.kind not in "iu" or ids.ndim != 1:
        raise ValueError(
            '`stop_token_ids` must be "auto", a list of int, or `None`. '
            f"Received: stop_token_ids={stop_token_ids!r}."
        )
    return ids.tolist()


def join_batches(outputs: list[Any], single: bool, pad: int | None) -> Any:
    """Puts the outputs of batches together.

    Args:
        outputs: list of lists of str, or of dicts of arrays.
        single: bool, whether there is one document, whose text or row is
            returned as it is.
        pad: int, token that fills up shorter rows, or `None` for 0.

    Returns:
        str, list of str, or a dict of arrays.
    """
    if not outputs or isinstance(outputs[0], list):
        texts = [text for batch in outputs for text in batch]
        return texts[0] if single else texts
    rows = [
        row[: int(kept.sum())]
        for batch in outputs
        for row, kept in zip(
            batch["decoder_token_ids"],
            batch["decoder_padding_mask"],
            strict=True,
        )
    ]
    made = _padded(rows, pad)
    return {name: x[0] for name, x in made.items()} if single else made


def write_batch(
    task: "LEDSeq2SeqLM",
    batch: Any,
    options: dict[str, Any],
    max_length: int | None = None,
    stop_token_ids: Any = "auto",
    strip_prompt: bool = False,
) -> Any:
    """Writes the outputs of one batch; see `LEDSeq2SeqLM.generate`.

    Args:
        task: the task.
        batch: texts, or a dict of arrays where there is no preprocessor.
        options: dict, as `options_of_sampler` gives it.
        max_length: int, or `None`.
        stop_token_ids: "auto", list of int, or `None`.
        strip_prompt: bool.

    Returns:
        List of str, or a dict of arrays.
    """
    options = dict(options)
    preprocessor = task.preprocessor
    if stop_token_ids != "auto":
        options["eos_token_id"] = stop_token_ids
    told = _is_length_told(task, options)
    if preprocessor is not None:
        width = max_length or preprocessor.decoder_sequence_length
        if told and max_length is None:
            # The loop checks the prompt against the length that it is told.
            width = task.backbone.max_decoder_sequence_length + 1
        batch = preprocessor.generate_preprocess(batch, sequence_length=width)
        options["tokenizer"] = preprocessor.tokenizer.led_tokenizer
    if max_length is not None:
        options |= {"max_length": max_length, "max_new_tokens": None}
    elif not told and "decoder_token_ids" in batch:
        options["max_length"] = batch["decoder_token_ids"].shape[1]
    seed = getattr(task.sampler, "seed", None)
    if seed is not None:
        options["seed"] = (task.batches_written, seed)
        task.batches_written += 1
    output = generate_batch(task.backbone.led, batch, options, strip_prompt)
    if preprocessor is None:
        return output
    return preprocessor.generate_postprocess(output)


def _is_length_told(task, options):
    """Whether sampler or settings say how long an output may become."""
    names = ("max_length", "max_new_tokens")
    return (
        isinstance(task.sampler, LEDSampler)
        or any(options.get(name) is not None for name in names)
        or any(
            getattr(task.generation_config, name) is not None for name in names
        )
    )


def generate_batch(
    led: "LEDForConditionalGeneration",
    inputs: dict[str, Any],
    options: dict[str, Any],
    strip_prompt: bool = False,
) -> dict[str, np.ndarray]:
    """Writes an output for each row.

    Args:
        led: the model.
        inputs: dict of int arrays: `"encoder_token_ids"`,
            `"encoder_padding_mask"` of shape `(B, S)`, `"decoder_token_ids"`
            and `"decoder_padding_mask"` of shape `(B, T)`, which begin with
            the start token and a prompt; the last two may be missing, as may
            `"encoder_global_attention_mask"`.
        options: dict of arguments of `led.generate`.
        strip_prompt: bool, whether to leave the prompt out of the result.

    Returns:
        dict of int32 arrays `(B, L)`: `"decoder_token_ids"`, padded at the
        end, and `"decoder_padding_mask"`, 1 up to the end token.
    """
    inputs = {name: _to_numpy(value) for name, value in inputs.items()}
    count = len(inputs["encoder_token_ids"])
    prompts = _prompts(led, inputs, count)
    rows: list[Any] = [None] * count
    # Rows of one length at a time: a shorter prompt would have to be padded
    # in front, and its tokens would lie at other positions.
    for length in sorted({len(prompt) for prompt in prompts}):
        chosen = [i for i, p in enumerate(prompts) if len(p) == length]
        arguments = _arguments(inputs, chosen)
        sequences = led.generate(
            **arguments,
            decoder_input_ids=np.array([prompts[i] for i in chosen], "int32"),
            **{**_ONE_TEXT, **options},
        )
        sequences = keras.ops.convert_to_numpy(sequences)
        for index, sequence in zip(chosen, sequences, strict=True):
            end = _end(led, options, sequence, length)
            rows[index] = sequence[length if strip_prompt else 0 : end]
    return _padded(rows, led.config.pad_token_id)


def _arguments(inputs, chosen):
    ids = inputs["encoder_token_ids"][chosen]
    mask = inputs.get("encoder_padding_mask")
    global_mask = inputs.get(GLOBAL_MASK)
    if global_mask is None:
        global_mask = np.zeros_like(inputs["encoder_token_ids"])
        global_mask[:, 0] = 1
    arguments = {
        "input_ids": ids,
        "global_attention_mask": global_mask[chosen].astype("int32"),
    }
    if mask is not None:
        arguments["attention_mask"] = mask[chosen].astype("int32")
    return arguments


def _prompts(led, inputs, count):
    """The tokens that each output begins with, start token included."""
    ids = inputs.get("decoder_token_ids")
    if ids is None:
        return [[led.config.decoder_start_token_id]] * count
    mask = inputs.get("decoder_padding_mask")
    lengths = [ids.shape[1]] * count
    if mask is not None:
        lengths = mask.astype("bool").sum(axis=1)
    return [row[:n].tolist() for row, n in zip(ids, lengths, strict=True)]


def _end(led, options, sequence, prompt_length):
    """Number of tokens up to the end token, if there is one."""
    eos = led.generation_config.eos_token_id
    eos = options.get("eos_token_id", eos)
    if eos is None:
        return len(sequence)
    written = sequence[prompt_length:]
    ends = np.flatnonzero(np.isin(written, eos))
    return prompt_length + ends[0] + 1 if len(ends) else len(sequence)


def _padded(rows, pad):
    width = max(map(len, rows), default=0)
    pad = 0 if pad is None else pad
    ids = np.full((len(rows), width), pad, "int32")
    mask = np.zeros((len(rows), width), "int32")
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"decoder_token_ids": ids, "decoder_padding_mask": mask}


def _to_numpy(value):
    if keras.ops.is_tensor(value):
        return keras.ops.convert_to_numpy(value)
    return np.asarray(value)

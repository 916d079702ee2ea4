"""The measurements of `keras-led bench`."""

import statistics
import sys
import time

import keras
import numpy as np
from keras import ops

from keras_led.cli.shared_options import note
from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.encode import encode
from keras_led.models.conditional_generation import LEDForConditionalGeneration

clock = time.perf_counter


def time_checkpoint(
    source,
    vocab_size,
    *,
    tokens,
    new_tokens,
    num_beams,
    batch_size,
    repeats,
    dtype,
):
    """Loads a checkpoint and times it.

    Args:
        source: str, directory, embedded name or hub id.
        vocab_size: int.
        tokens: int, length of each document.
        new_tokens: int, tokens to write.
        num_beams: int, or `None` for the checkpoint's.
        batch_size: int, documents at once.
        repeats: int, calls that count.
        dtype: str, Keras dtype policy, or `None`.

    Returns:
        Dict of the facts that `keras-led bench --json` writes.
    """
    started = clock()
    network = LEDForConditionalGeneration.from_pretrained(source, dtype=dtype)
    loading = clock() - started
    if num_beams is None:
        num_beams = network.generation_config.num_beams or 1
    note(f"Timing {repeats + 1} calls of encoder and decoder ...")
    options = {
        "num_beams": num_beams,
        "do_sample": False,
        "max_new_tokens": new_tokens,
        "min_new_tokens": new_tokens,
    }
    document = make_document(vocab_size, batch_size, tokens)
    return {
        "keras": keras.__version__,
        "dtype": network.dtype_policy.name,
        "batch_size": batch_size,
        "tokens": tokens,
        "new_tokens": new_tokens,
        "num_beams": num_beams,
        "repeats": repeats,
        "load_seconds": loading,
        **measure(network, document, options, repeats),
        "peak_bytes": peak_bytes(),
    }


def make_document(vocab_size, batch_size, tokens):
    """Random documents without padding, as call arguments.

    Args:
        vocab_size: int.
        batch_size: int, documents.
        tokens: int, length of each.

    Returns:
        Dict of int32 arrays of shape `(batch_size, tokens)`.
    """
    shape = (batch_size, tokens)
    random = np.random.default_rng(0)
    wide = np.zeros(shape, "int32")
    wide[:, 0] = 1
    return {
        "input_ids": random.integers(0, vocab_size, shape).astype("int32"),
        "attention_mask": np.ones(shape, "int32"),
        "global_attention_mask": wide,
    }


def measure(model, document, options, repeats):
    """Times encoder and decoder apart.

    Args:
        model: `LEDForConditionalGeneration`.
        document: dict, as from `make_document`.
        options: dict of arguments of `generate`; "max_new_tokens" are written.
        repeats: int, calls that count.

    Returns:
        Dict of the device, str, and seconds, float: of the encoder, of the
        decoder for each token, and of the first call of each.
    """
    arguments = {**document, **options}
    request = read_request(model.config, model.generation_config, arguments)

    def run_encoder():
        inputs, outputs = encode(model, request)
        # Reading a number waits for all of them.
        ops.convert_to_numpy(
            ops.cast(outputs.last_hidden_state[0, 0, 0], "float32")
        )
        return inputs["mask"], outputs

    first_encoder, encoder, found = timed(run_encoder, repeats)
    # Lengths are rounded up before compiling, and the mask with them.
    mask, outputs = ops.convert_to_numpy(found[0]), found[1]
    ids = np.zeros(mask.shape, "int32")
    ids[:, : document["input_ids"].shape[1]] = document["input_ids"]

    def run_decoder():
        written = model.generate(
            input_ids=ids,
            encoder_outputs=outputs,
            attention_mask=mask,
            **options,
        )
        return ops.convert_to_numpy(written)

    first_decoder, decoder, _ = timed(run_decoder, repeats)
    return {
        "device": str(outputs.last_hidden_state.device),
        "encoder_seconds": encoder,
        "first_encoder_seconds": first_encoder,
        "decoder_seconds_per_token": decoder / options["max_new_tokens"],
        "first_decoder_seconds": first_decoder,
    }


def timed(call, repeats):
    """Times a call, the first time and afterwards.

    Args:
        call: callable without arguments that waits for its result.
        repeats: int, calls after the first.

    Returns:
        Tuple of the first call's seconds, the median of the others' and the
        last result.
    """
    seconds = []
    for _ in range(repeats + 1):
        started = clock()
        result = call()
        seconds.append(clock() - started)
    return seconds[0], statistics.median(seconds[1:]), result


def peak_bytes():
    """Most memory that this process has held at once, in bytes.

    Returns:
        int, or `None` where the system does not tell. What a device of its
        own holds is not in it.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        import resource
    except (OSError, ImportError):
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

"""`keras-led bench`: how fast a checkpoint is on this machine."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Annotated
from typing import Any

import keras
import numpy as np
import typer
from keras import ops

from keras_led.backend import name as backend_name
from keras_led.cli.options import BackendOption
from keras_led.cli.options import DebugOption
from keras_led.cli.options import ModelOption
from keras_led.cli.options import check_backend
from keras_led.cli.options import note
from keras_led.cli.options import one_line_errors
from keras_led.config import LEDConfig
from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.encode import encode
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.typing import GeneratingLED

DEFAULT_TOKENS = 4096
DEFAULT_NEW_TOKENS = 32
clock: Callable[[], float] = time.perf_counter


@one_line_errors
def bench(
    model: ModelOption,
    tokens: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="N",
            help="Length of the document; 4096 if the model reads as many.",
        ),
    ] = None,
    new_tokens: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Tokens to write; 32 if it can.",
        ),
    ] = None,
    num_beams: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Beams; by default the checkpoint's."
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(metavar="N", min=1, help="Documents at once.")
    ] = 1,
    repeats: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Calls that count; medians are shown."
        ),
    ] = 3,
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY", help="Keras dtype policy, such as bfloat16."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object.")
    ] = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Time the encoder and the decoder of a checkpoint on this machine.

    The document is random tokens, with global attention on the first; the
    end token is held back, so that all tokens are written. First calls, which
    compile, are shown apart. The time of a token includes its share of what
    the decoder prepares once a document.

    Examples:

        keras-led bench -m DIR

        keras-led bench -m DIR --tokens 16384 --num-beams 4 --json
    """
    check_backend(backend)
    config = LEDConfig.from_pretrained(model)
    tokens = _within(
        "--tokens",
        tokens,
        DEFAULT_TOKENS,
        config.max_encoder_position_embeddings,
    )
    # The start token takes one position.
    new_tokens = _within(
        "--new-tokens",
        new_tokens,
        DEFAULT_NEW_TOKENS,
        config.max_decoder_position_embeddings - 1,
    )
    note(f"Loading {model} on {backend_name} ...")
    started = clock()
    network = LEDForConditionalGeneration.from_pretrained(model, dtype=dtype)
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
    document = make_document(config.vocab_size, batch_size, tokens)
    facts = {
        "backend": backend_name,
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
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        for line in render(facts):
            typer.echo(line)


def _within(flag, value, default, limit):
    """The value of a flag, or its default, held to what the model can do."""
    if value is None:
        return min(default, limit)
    if value > limit:
        raise ValueError(
            f"`{flag}` must be at most {limit}, as the checkpoint has no more "
            f"positions. Received: {flag}={value}."
        )
    return value


def make_document(
    vocab_size: int, batch_size: int, tokens: int
) -> dict[str, np.ndarray]:
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


def measure(
    model: GeneratingLED,
    document: dict[str, Any],
    options: dict[str, Any],
    repeats: int,
) -> dict[str, Any]:
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

    def run_decoder():
        written = model.generate(
            encoder_outputs=outputs, attention_mask=mask, **options
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


def timed(call: Callable[..., Any], repeats: int) -> tuple[float, float, Any]:
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


def peak_bytes() -> int | None:
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


def render(facts: dict[str, Any]) -> Iterator[str]:
    """The facts as lines for people."""
    beams = facts["num_beams"]
    yield (
        f"runs on      {facts['device']}; {facts['backend']}, "
        f"Keras {facts['keras']}, {facts['dtype']}"
    )
    yield f"load         {facts['load_seconds']:.2f} s"
    yield (
        f"encoder      {facts['encoder_seconds']:.3f} s for "
        f"{facts['batch_size']} x {facts['tokens']:,} tokens "
        f"(first call {facts['first_encoder_seconds']:.2f} s)"
    )
    yield (
        f"decoder      {facts['decoder_seconds_per_token']:.4f} s a token, "
        f"{facts['new_tokens']} tokens, {beams} beam{'s' * (beams > 1)} "
        f"(first call {facts['first_decoder_seconds']:.2f} s)"
    )
    if facts["peak_bytes"] is not None:
        yield f"memory       {facts['peak_bytes'] / 1e9:.2f} GB at most"

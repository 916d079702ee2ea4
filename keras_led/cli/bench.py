"""`keras-led bench`: how fast a checkpoint is on this machine."""

import json
from collections.abc import Iterator
from typing import Annotated
from typing import Any

import typer

from keras_led.cli.shared_options import BackendOption
from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import JsonOption
from keras_led.cli.shared_options import ModelOption
from keras_led.cli.shared_options import note
from keras_led.cli.shared_options import one_line_errors
from keras_led.cli.starting import check_backend
from keras_led.cli.starting import start_backend
from keras_led.config import LEDConfig

DEFAULT_TOKENS = 4096
DEFAULT_NEW_TOKENS = 32


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
            metavar="POLICY",
            help="Keras dtype policy, such as bfloat16 (slower than float32 "
            "with JAX on a CPU).",
        ),
    ] = None,
    as_json: JsonOption = False,
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
    running = start_backend(backend, debug)
    from keras_led.cli.bench_timing import time_checkpoint

    note(f"Loading {model} on {running} ...")
    facts = time_checkpoint(
        model,
        config.vocab_size,
        tokens=tokens,
        new_tokens=new_tokens,
        num_beams=num_beams,
        batch_size=batch_size,
        repeats=repeats,
        dtype=dtype,
    )
    facts = {"backend": running, **facts}
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

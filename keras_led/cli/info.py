"""`keras-led info`: what a checkpoint holds and what it will need."""

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import typer

from keras_led.checkpoints.checkpoint import open_checkpoint
from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.cli.shared_options import BackendOption
from keras_led.cli.shared_options import DebugOption
from keras_led.cli.shared_options import JsonOption
from keras_led.cli.shared_options import one_line_errors
from keras_led.cli.starting import check_backend
from keras_led.config import LEDConfig
from keras_led.typing import StrPath

if TYPE_CHECKING:
    pass

FLOAT32_BYTES = 4
SHORTEST_LENGTH = 1024
# Of `keras_led.backend.block_layout.ON_CPU`, whose import would take Keras.
QUERY_BLOCK = 128


@one_line_errors
def info(
    source: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT", help="Directory, or hub id, of an LED."
        ),
    ],
    as_json: JsonOption = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Show sizes, windows, weights and the memory that CHECKPOINT needs.

    Only the headers of the weight files are read. The memory is an estimate
    for one document in float32 on a CPU: the weights, what the encoder works
    on at once, and the keys and values that the decoder reads. The framework
    itself needs some 0.5 GB more.

    Examples:

        keras-led info runs/manual-pages

        keras-led info allenai/led-base-16384 --json
    """
    check_backend(backend)
    config = LEDConfig.from_pretrained(source)
    facts = {**sizes(config), **weights(source)}
    facts["memory"] = memory(config, facts["parameters"])
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        for line in render(facts):
            typer.echo(line)


def sizes(config: LEDConfig) -> dict[str, Any]:
    """The sizes of a model, as a dict ready for JSON."""
    return {
        "architectures": config.architectures,
        "layers": [config.encoder_layers, config.decoder_layers],
        "d_model": config.d_model,
        "heads": [
            config.encoder_attention_heads,
            config.decoder_attention_heads,
        ],
        "ffn_dim": [config.encoder_ffn_dim, config.decoder_ffn_dim],
        "attention_windows": list(config.attention_windows),
        "positions": [
            config.max_encoder_position_embeddings,
            config.max_decoder_position_embeddings,
        ],
        "vocab_size": config.vocab_size,
    }


def weights(source: StrPath) -> dict[str, Any]:
    """Counts the weights in the files: number, bytes, types, file names."""
    with open_checkpoint(source) as checkpoint:
        floats = [
            tensor
            for tensor in checkpoint.infos.values()
            if tensor.dtype in FLOAT_DTYPES
        ]
        return {
            "parameters": sum(math.prod(t.shape) for t in floats),
            "bytes": sum(
                math.prod(t.shape) * FLOAT_DTYPES[t.dtype].itemsize
                for t in floats
            ),
            "dtypes": sorted({t.dtype for t in floats}),
            "files": [path.name for path in checkpoint.paths],
        }


def memory(config: LEDConfig, parameters: int) -> dict[int, Any]:
    """Estimates the memory for one document, by its length.

    Args:
        config: `LEDConfig`.
        parameters: int, number of weights.

    Returns:
        Dict of length in tokens to bytes: the weights in float32; a layer's
        queries, keys, values, context, input and output, and its feed-forward
        block; one step's attention scores; the decoder's keys and values.
    """
    dim, longest = config.d_model, config.max_encoder_position_embeddings
    keys = QUERY_BLOCK + max(config.attention_windows, default=0)
    scores = config.encoder_attention_heads * QUERY_BLOCK * keys
    lengths = [longest]
    while lengths[0] // 4 >= SHORTEST_LENGTH:
        lengths.insert(0, lengths[0] // 4)
    return {
        length: FLOAT32_BYTES
        * (
            parameters
            + length * (6 * dim + config.encoder_ffn_dim)
            + scores
            + 2 * config.decoder_layers * length * dim
        )
        for length in lengths
    }


def render(facts: dict[str, Any]) -> Iterator[str]:
    """The facts as lines for people."""
    encoder, decoder = facts["layers"]
    windows = sorted(set(facts["attention_windows"]))
    yield f"model        {', '.join(facts['architectures'] or ['LED'])}"
    yield f"layers       {encoder} encoder, {decoder} decoder"
    yield (
        f"hidden       {facts['d_model']}; heads {_pair(facts['heads'])}; "
        f"feed-forward {_pair(facts['ffn_dim'])}"
    )
    yield (
        f"window       {_pair(windows)} tokens; positions "
        f"{facts['positions'][0]:,} encoder, {facts['positions'][1]:,} decoder"
    )
    yield f"vocabulary   {facts['vocab_size']:,}"
    yield (
        f"weights      {facts['parameters']:,} in {_size(facts['bytes'])} of "
        f"{', '.join(facts['dtypes'])} ({', '.join(facts['files'])})"
    )
    for length, size in facts["memory"].items():
        yield f"memory       {_size(size)} for {length:,} tokens"


def _pair(numbers):
    return ", ".join(str(n) for n in dict.fromkeys(numbers))


def _size(count):
    """Bytes in words: 1,234,567 is `1.2 MB`."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= power:
            return f"{count / power:.1f} {unit}"
    return f"{count} bytes"

"""Times beam search beside the peers', the same weights in all.

    python -m benchmarks.generation --tokens 4096 16384

Each measurement runs in a process of its own, the contenders in turn. The
model has the shape of led-base-16384 and random weights; the end token is
held back, so that all write the same number of tokens, and the tokens are
compared. Decoding is timed apart from the encoder: it begins with the
encoder's output, and so includes the projection of the document to keys and
values. The limit of decoding takes each step for as long as the slower of
its FLOPs and its reading from memory.
"""

import contextlib
import pathlib
import subprocess
import sys
import tempfile

from benchmarks import harness
from benchmarks import subjects
from benchmarks.arithmetic import encoder_flops
from benchmarks.arithmetic import generation_limit
from benchmarks.contenders import BACKENDS
from benchmarks.contenders import PEER
from benchmarks.devices import describe
from benchmarks.devices import peak_device_gigabytes
from benchmarks.processes import ROOT
from benchmarks.processes import peak_gigabytes
from benchmarks.rates import measure_rates
from benchmarks.shapes import config_of

# Bytes of a weight and of a cached number.
BYTES = {
    "float32": (4, 4),
    "bfloat16": (2, 2),
    "mixed_bfloat16": (4, 2),
    "int8": (1, 4),
}
# Wide enough that tokens do not tie: the same ones must come out everywhere.
INIT_STD = 0.05


def add_arguments(parser):
    """Adds the sizes to an `argparse` parser."""
    parser.add_argument("--tokens", type=int, nargs="+", default=[4096, 16384])
    parser.add_argument("--new-tokens", type=int, default=32)
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument(
        "--directory", type=pathlib.Path, help="weights made before"
    )


def cases(options):
    """One case for each dtype and length."""
    return [
        {
            "tokens": tokens,
            "new_tokens": options.new_tokens,
            "beams": options.beams,
            "layers": options.layers,
            "directory": str(options.directory.resolve()),
            "dtype": dtype,
        }
        for dtype in options.dtypes
        for tokens in options.tokens
    ]


def skips(contender, case):
    """Whether a contender has nothing to show for a case."""
    if case["dtype"] in ("int8", "mixed_bfloat16"):
        return contender not in BACKENDS
    return case["dtype"] != "float32" and contender == "hf-tensorflow"


def save(directory, layers):
    """Writes the random model as a Hugging Face directory.

    Args:
        directory: str or path.
        layers: int, of each stack.
    """
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.LEDConfig(**config_of(layers), init_std=INIT_STD)
    model = transformers.LEDForConditionalGeneration(config)
    model.save_pretrained(directory)


@contextlib.contextmanager
def weights_for(options):
    """Sees to it that `options.directory` holds the weights.

    Those of a caller are kept; others are written by a process of their own,
    so that this one stays small, and removed at the end.

    Args:
        options: parsed command line; `directory` is set.
    """
    if options.directory is not None:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.generation"]
        command += ["--save", folder, "--layers", str(options.layers)]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        options.directory = pathlib.Path(folder)
        try:
            yield
        finally:
            options.directory = None


def measure(contender, case):
    """Measures one contender in this process; returns a dict."""
    library = subjects.library_of(contender)
    pair = subjects.module_for(contender).generation(contender, case)
    encoding, decoding = pair
    repeats = case["warm_up"], case["repeats"]
    encoded, outputs = harness.time_calls(encoding.call, *repeats)
    found, ids = harness.time_calls(lambda: decoding.call(outputs), *repeats)
    peak, device_peak = peak_gigabytes(), peak_device_gigabytes(library)
    kind, device = describe(library)
    rates = measure_rates(library, kind, case["dtype"], memory=True)
    config = config_of(case["layers"])
    limit = generation_limit(
        config,
        case["tokens"],
        case["new_tokens"],
        case["beams"],
        rates,
        *BYTES[case["dtype"]],
    )
    limit["encoder_limit_seconds"] = (
        encoder_flops(config, case["tokens"]) / rates["flops_per_second"]
    )
    return {
        **found,
        "device": device,
        "versions": decoding.versions,
        "encoder_seconds": min(encoded["seconds"]),
        "peak_gigabytes": peak,
        "peak_device_gigabytes": device_peak,
        **rates,
        **limit,
        "ids": ids,
    }


BENCHMARK = harness.Benchmark(
    name="generation",
    title="Time and peak memory of beam search.",
    contenders=(*BACKENDS, PEER, "hf-compile", "hf-tensorflow"),
    add_arguments=add_arguments,
    cases=cases,
    measure=measure,
    skips=skips,
    prepare=weights_for,
)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--save"]:
        save(sys.argv[2], int(sys.argv[4]))
    else:
        harness.main(BENCHMARK)

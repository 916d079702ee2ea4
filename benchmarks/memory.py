"""How time and memory of the encoder grow with the document.

    python -m benchmarks.memory
    python -m benchmarks.memory --tokens 1024 1025 4096

The same encoder as benchmarks/encoder.py with a position table for the
longest document, so that every length has the same weights. 1,025 tokens
stand beside 1,024 on purpose: an implementation that pads to a multiple of
its window of 1,024 tokens pays there for 2,048.
"""

from benchmarks import encoder
from benchmarks import harness
from benchmarks.contenders import BACKENDS
from benchmarks.contenders import PEER

# At 16,384 tokens TFLED holds 11 GB, and it grows with the length.
TFLED_LONGEST = 16384


def add_arguments(parser):
    """Adds the sizes to an `argparse` parser."""
    parser.add_argument(
        "--tokens",
        type=int,
        nargs="+",
        default=[1024, 1025, 4096, 16384, 32768],
    )
    parser.add_argument("--layers", type=int, default=6)


def cases(options):
    """One case for each dtype and length, all of one position table."""
    return [
        {
            "tokens": tokens,
            "batch": 1,
            "layers": options.layers,
            "positions": max(options.tokens),
            "dtype": dtype,
        }
        for dtype in options.dtypes
        for tokens in options.tokens
    ]


def skips(contender, case):
    """Whether a contender has nothing to show for a case."""
    if contender == "hf-tensorflow" and case["tokens"] > TFLED_LONGEST:
        return True
    return encoder.skips(contender, case)


BENCHMARK = harness.Benchmark(
    name="memory",
    title="Time and peak memory of the encoder by length.",
    contenders=(*BACKENDS, PEER, "hf-tensorflow"),
    add_arguments=add_arguments,
    cases=cases,
    measure=encoder.measure,
    skips=skips,
)

if __name__ == "__main__":
    harness.main(BENCHMARK)

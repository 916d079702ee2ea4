"""Time and peak memory of the led-base encoder, ours beside the peers'.

    python -m benchmarks.encoder                      # all, 4,096 and 16,384
    python -m benchmarks.encoder --tokens 4096 --contenders jax hf-torch
    python -m benchmarks.encoder --dtypes float32 bfloat16 int8

Each measurement runs in a process of its own, and the contenders take turns,
so that none finds the machine warmer or emptier than the others. A process
builds a model of led-base shape with random weights (the numbers cost the
same as trained ones), runs warm-up calls, which compile, and times the calls
after them one by one; it waits for the result before it reads the clock.
Peak memory is the largest resident size of the process, framework and
weights (0.65 GB in float32) included, read before the rates are measured and
before a dtype's error against float32 is.
"""

from benchmarks import harness
from benchmarks import subjects
from benchmarks.arithmetic import encoder_flops
from benchmarks.contenders import BACKENDS
from benchmarks.contenders import CONTENDERS
from benchmarks.devices import describe
from benchmarks.devices import peak_device_gigabytes
from benchmarks.processes import peak_gigabytes
from benchmarks.rates import measure_rates
from benchmarks.shapes import LED_BASE
from benchmarks.shapes import config_of

BART_LONGEST = 1024
# With 16,384 its scores of one layer are 12.9 GB.
T5GEMMA2_LONGEST = 8192
POSITIONS = "max_encoder_position_embeddings"


def add_arguments(parser):
    """Adds the sizes to an `argparse` parser."""
    parser.add_argument(
        "--tokens", type=int, nargs="+", default=[1024, 4096, 16384]
    )
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--layers", type=int, default=6)


def cases(options):
    """One case for each dtype and length."""
    return [
        {
            "tokens": tokens,
            "batch": options.batch,
            "layers": options.layers,
            "positions": max(tokens, LED_BASE[POSITIONS]),
            "dtype": dtype,
        }
        for dtype in options.dtypes
        for tokens in options.tokens
    ]


def skips(contender, case):
    """Whether a contender has nothing to show for a case."""
    dtype = case["dtype"]
    if contender == "kerashub":
        return case["tokens"] > BART_LONGEST or dtype != "float32"
    if contender == "kerashub-t5gemma2":
        return case["tokens"] > T5GEMMA2_LONGEST or dtype != "float32"
    if dtype in ("int8", "mixed_bfloat16"):
        return contender not in BACKENDS
    return dtype != "float32" and contender == "hf-tensorflow"


def measure(contender, case):
    """Measures one contender in this process; returns a dict."""
    library = subjects.library_of(contender)
    subject = subjects.module_for(contender).encoder(contender, case)
    after_build = peak_gigabytes()
    found, _ = harness.time_calls(
        subject.call, case["warm_up"], case["repeats"]
    )
    peak, device_peak = peak_gigabytes(), peak_device_gigabytes(library)
    kind, device = describe(library)
    rates = measure_rates(library, kind, case["dtype"])
    flops = useful_flops(contender, case)
    return {
        **found,
        "device": device,
        "versions": subject.versions,
        "peak_gigabytes": peak,
        "peak_device_gigabytes": device_peak,
        "peak_gigabytes_before_calls": after_build,
        **rates,
        "flops": flops,
        "limit_seconds": flops / rates["flops_per_second"],
        **(subject.error() if subject.error else {}),
    }


def useful_flops(contender, case):
    """FLOPs of the case; BART's tokens see all of the document."""
    config = config_of(case["layers"], case["positions"])
    sizes = case["tokens"], case["batch"]
    if contender == "kerashub":
        whole = 2 * case["tokens"]
        config["attention_window"] = [whole] * case["layers"]
        return encoder_flops(config, *sizes, global_tokens=0)
    return encoder_flops(config, *sizes)


BENCHMARK = harness.Benchmark(
    name="encoder",
    title="Time and peak memory of the led-base encoder.",
    contenders=tuple(CONTENDERS),
    add_arguments=add_arguments,
    cases=cases,
    measure=measure,
    skips=skips,
    # One compiles; in the next memory is still new to the process.
    warm_up=2,
)

if __name__ == "__main__":
    harness.main(BENCHMARK)

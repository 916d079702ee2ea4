"""Time and peak memory of a training step, ours beside the peers'.

    python -m benchmarks.training                     # 2+2 layers, to 16,384
    python -m benchmarks.training --tokens 1024 4096  # its short part
    python -m benchmarks.training --layers 6 --tokens 16384 --checkpointing on

A step is what `fit` does with a batch of one document: forward pass, loss,
backward pass and an AdamW update, compiled where the backend compiles. Each
measurement runs in a process of its own, the contenders in turn. Two steps are
not counted: the first compiles, and in the second TensorFlow still asks the
system for memory that it keeps from then on (3.0 s, then 2.3). Peak memory is
the largest resident size of the process, framework, weights and optimizer
state included.
"""

import contextlib

from benchmarks import harness
from benchmarks import subjects
from benchmarks.arithmetic import training_flops
from benchmarks.contenders import BACKENDS
from benchmarks.contenders import PEER
from benchmarks.devices import describe
from benchmarks.devices import peak_device_gigabytes
from benchmarks.processes import peak_gigabytes
from benchmarks.rates import measure_rates
from benchmarks.shapes import config_of


def add_arguments(parser):
    """Adds the sizes to an `argparse` parser."""
    lengths = [1024, 4096, 16384]
    parser.add_argument("--tokens", type=int, nargs="+", default=lengths)
    parser.add_argument("--targets", type=int, default=256, help="tokens")
    parser.add_argument("--layers", type=int, default=2, help="of each stack")
    choices = ("off", "on")
    parser.add_argument(
        "--checkpointing", nargs="+", default=choices, choices=choices
    )


@contextlib.contextmanager
def announce(options):
    """Prints a line on what is measured, ahead of the measurements."""
    depth = f"{options.layers}+{options.layers} layers of led-base"
    print(
        f"A step of training {depth}: forward, loss, backward and AdamW; one "
        f"document, {options.targets} target tokens; each length with "
        f"checkpointing {' and '.join(options.checkpointing)}",
        flush=True,
    )
    yield


def cases(options):
    """One case for each dtype, length and kind of backward pass."""
    return [
        {
            "tokens": tokens,
            "targets": options.targets,
            "layers": options.layers,
            "checkpointing": checkpointing == "on",
            "dtype": dtype,
        }
        for dtype in options.dtypes
        for tokens in options.tokens
        for checkpointing in options.checkpointing
    ]


def skips(contender, case):
    """Whether a contender has nothing to show for a case."""
    if case["dtype"] in ("bfloat16", "int8"):
        return True  # weights that small steps do not change
    if contender == "hf-tensorflow":
        return case["checkpointing"] or case["dtype"] != "float32"
    return False


def measure(contender, case):
    """Measures one contender in this process; returns a dict."""
    library = subjects.library_of(contender)
    subject = subjects.module_for(contender).training(contender, case)
    found, _ = harness.time_calls(
        subject.call, case["warm_up"], case["repeats"]
    )
    peak, device_peak = peak_gigabytes(), peak_device_gigabytes(library)
    kind, device = describe(library)
    rates = measure_rates(library, kind, case["dtype"])
    config = config_of(case["layers"])
    flops = training_flops(config, case["tokens"], case["targets"])
    return {
        **found,
        "device": device,
        "versions": subject.versions,
        "peak_gigabytes": peak,
        "peak_device_gigabytes": device_peak,
        **rates,
        "flops": flops,
        "limit_seconds": flops / rates["flops_per_second"],
    }


BENCHMARK = harness.Benchmark(
    name="training",
    title="Time and peak memory of a training step.",
    contenders=(*BACKENDS, PEER, "hf-compile", "hf-tensorflow"),
    add_arguments=add_arguments,
    cases=cases,
    measure=measure,
    skips=skips,
    prepare=announce,
    warm_up=2,
)

if __name__ == "__main__":
    harness.main(BENCHMARK)

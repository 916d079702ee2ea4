"""Time and memory of one document of up to a million tokens, by backend.

    taskset -c 0 python -m benchmarks.long --repeats 2
    python -m benchmarks.run_all --show --output benchmarks/results/long.json \\
        --section long --write-docs

A small LED (`shapes.narrow_config`), so that what grows with the document is
most of what is measured: its encoder, a step of training, and decoding from
the encoder's output. Each measurement has a process of its own, whose most
resident memory is its peak; what it held before the first call is in the notes.
Seconds are those of the processor, user and system: on one core they are those
of the clock, less what other programs take.
"""

import time

from benchmarks import harness
from benchmarks import shapes
from benchmarks import subjects
from benchmarks.contenders import BACKENDS
from benchmarks.devices import describe
from benchmarks.processes import peak_gigabytes

WORK = ("encoder", "training", "generation")
TARGETS = 64
# A step of a million would need more memory than most machines have.
LONGEST_STEP = 2**18


def add_arguments(parser):
    """Adds the sizes to an `argparse` parser."""
    lengths = [2**14, 2**16, 2**18, 2**20]
    parser.add_argument("--tokens", type=int, nargs="+", default=lengths)
    parser.add_argument("--work", nargs="+", default=WORK, choices=WORK)
    parser.add_argument("--new-tokens", type=int, default=8)
    parser.add_argument("--beams", type=int, default=4)


def cases(options):
    """One case for each dtype, kind of work and length."""
    return [
        {
            "work": work,
            "tokens": tokens,
            "targets": TARGETS,
            "new_tokens": options.new_tokens,
            "beams": options.beams,
            "dtype": dtype,
        }
        for dtype in options.dtypes
        for work in options.work
        for tokens in options.tokens
    ]


def skips(contender, case):
    """Whether a contender has nothing to show for a case."""
    return case["work"] == "training" and case["tokens"] > LONGEST_STEP


def measure(contender, case):
    """Measures one contender in this process; returns a dict."""
    import keras_led
    from benchmarks import ours

    models = {"encoder": keras_led.LEDModel}
    model = ours.make(
        models.get(case["work"], keras_led.LEDForConditionalGeneration),
        shapes.narrow_config(case["tokens"]),
        case["dtype"],
        max_global_tokens=shapes.GLOBAL_TOKENS,
    )
    if case["work"] == "encoder":
        run, inputs = ours.compiled_encoder(model), ours.tensors(case)

        def call():
            return float(ours.numbers(run(inputs)[0, -1, 0]))

    elif case["work"] == "training":
        call = ours.step_of(model, case)
    else:
        encoding, decoding = ours.generation_of(model, case)
        encoded = encoding.call()

        def call():
            return decoding.call(encoded)

    before = peak_gigabytes()
    found, _ = harness.time_calls(
        call, case["warm_up"], case["repeats"], time.process_time
    )
    _, device = describe(subjects.library_of(contender))
    return {
        **found,
        "device": device,
        "versions": ours.versions(),
        "peak_gigabytes": peak_gigabytes(),
        "peak_gigabytes_before_calls": before,
    }


BENCHMARK = harness.Benchmark(
    name="long",
    title="Time and peak memory by length, to a million tokens.",
    contenders=BACKENDS,
    add_arguments=add_arguments,
    cases=cases,
    measure=measure,
    skips=skips,
)

if __name__ == "__main__":
    harness.main(BENCHMARK)

"""Encoder, training and decoding on a GPU, within minutes: a JSON, a table.

    python -m benchmarks.accelerator --output benchmarks/results/gpu.json
    python -m benchmarks.run_all --show --output benchmarks/results/gpu.json

Processes import, load and compile for much longer than the calls take that
count. So several run side by side and take turns on the device for these. Of
several rounds a first one fills the caches of the compilers and counts no time;
then every process loads what it needs and compiles little. Warming up takes no
turn. Where Python launches one kernel after another, the processor counts too:
leave those who compile for another run, which adds its rows to the same JSON.

Float32 means float32: JAX would round the factors of products to the 10 bits
of TF32 on such a device, which PyTorch does not, and is told not to.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import tempfile
import threading
import time

from benchmarks import encoder
from benchmarks import generation
from benchmarks import harness
from benchmarks import report
from benchmarks import run_all
from benchmarks import training
from benchmarks.contenders import CONTENDERS
from benchmarks.processes import TURNS
from benchmarks.processes import measure_apart

WORK = (
    (encoder, "--dtypes float32 bfloat16"),
    (training, "--dtypes mixed_bfloat16 --layers 6 --checkpointing off"),
    (generation, ""),
)
COMPILES = ("tensorflow", "jax", "hf-compile")
ENVIRONMENT = {
    "JAX_DEFAULT_MATMUL_PRECISION": "float32",
    # Else each process would take most of the device's memory for itself.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5",
}


def describe(module, contender, case):
    """What a record says of a job, a dict."""
    of_machine = ("directory", "model")
    case = {name: x for name, x in case.items() if name not in of_machine}
    return {"benchmark": module.BENCHMARK.name, "contender": contender, **case}


def key_of(record):
    """What tells a job from others, whatever it repeats, a str."""
    return json.dumps({**record, "repeats": 0})


def parse(arguments=None):
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accelerator",
        description=__doc__.splitlines()[0],
    )
    parser.add_argument("--tokens", type=int, nargs="+", default=[4096, 16384])
    parser.add_argument(
        "--contenders",
        nargs="+",
        default=["tensorflow", "jax", "torch", "hf-torch", "hf-compile"],
        choices=list(CONTENDERS),
    )
    names = [module.BENCHMARK.name for module, _ in WORK]
    parser.add_argument(
        "--benchmarks",
        nargs="+",
        default=names,
        choices=names,
        help="in this order",
    )
    parser.add_argument("--rounds", type=int, default=2, help="processes each")
    parser.add_argument("--repeats", type=int, default=10, help="per process")
    parser.add_argument("--lanes", type=int, default=6, help="side by side")
    parser.add_argument(
        "--seconds", type=float, default=3600, help="after which none starts"
    )
    parser.add_argument(
        "--compile-seconds", type=float, default=600, help="of one process"
    )
    parser.add_argument("--output", type=pathlib.Path, required=True)
    return parser.parse_args(arguments)


class Run:
    """Measures job after job and writes what is known after each.

    Args:
        options: parsed command line.
        say: callable that shows one line.
    """

    def __init__(self, options, say=print):
        self.options = options
        self.say = say
        self.facts = harness.machine()
        self.end = time.monotonic() + options.seconds
        self.before = run_all.read_records(options.output)
        self.found = {}
        self.lock = threading.Lock()

    def round(self, jobs, counts=True):
        """Runs jobs, some at a time, until all have ended.

        Args:
            jobs: list of `(module, contender, case)`.
            counts: bool, whether these measurements are kept.
        """
        with concurrent.futures.ThreadPoolExecutor(self.options.lanes) as pool:
            list(pool.map(lambda job: self._measure(*job, counts), jobs))

    def _measure(self, module, contender, case, counts):
        left = self.end - time.monotonic()
        if left <= 0:
            return
        if not counts:
            left = min(left, self.options.compile_seconds)
        name = module.BENCHMARK.name
        run = measure_apart(
            f"benchmarks.{name}", CONTENDERS[contender], case, left
        )
        record = describe(module, contender, case)
        with self.lock:
            self.say(harness.line_of({**record, **harness.merge([run])}))
            if not counts and "failed" not in run:
                return
            key = key_of(record)
            record, runs = self.found.setdefault(key, (record, []))
            if runs and "failed" in run:
                return  # out of time; what was measured stays
            runs.append(run)
            harness.write_json(self.options.output, self.content())

    def failed(self, module, contender, case):
        """Whether a job failed before: it would fail again."""
        key = key_of(describe(module, contender, case))
        _, runs = self.found.get(key, (None, []))
        return any("failed" in run for run in runs)

    def content(self):
        """What is known, also from earlier runs, ready for JSON."""
        new = [
            {**record, **harness.merge(runs)}
            for record, runs in self.found.values()
        ]
        # What ended without a measurement replaces none.
        failed = [record for record in new if "failed" in record]
        measured = [record for record in new if "failed" not in record]
        records = run_all.joined([*failed, *self.before], measured)
        first = [module.BENCHMARK.name for module, _ in WORK]
        order = list(dict.fromkeys([*first, *run_all.BENCHMARKS]))
        contenders = list(CONTENDERS)
        records.sort(
            key=lambda record: (
                order.index(record["benchmark"]),
                record.get("dtype") != "float32",
                record.get("tokens", 0),
                contenders.index(record["contender"]),
            )
        )
        return {**self.facts, "results": records}


def main(arguments=None):
    """Measures and shows the table."""
    options = parse(arguments)
    run = Run(options, lambda line: print(line, flush=True))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ |= ENVIRONMENT
        os.environ[TURNS] = str(pathlib.Path(folder, "turns"))
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(pathlib.Path(folder, "x"))
        jobs = list(_jobs(options, stack))
        slow = [job for job in jobs if job[1] in COMPILES]
        slow.reverse()  # decoding and training compile longest
        if options.rounds > 1:
            run.round(
                [(*job, {**case, "repeats": 1}) for *job, case in slow], False
            )
        for _ in range(options.rounds):
            run.round([job for job in jobs if not run.failed(*job)])
    print(report.conditions(run.content()))
    print(report.as_text(run.content()["results"]))


def _jobs(options, stack):
    """All `(module, contender, case)`; what they need is there meanwhile."""
    tokens = [str(number) for number in options.tokens]
    work = {module.BENCHMARK.name: (module, flags) for module, flags in WORK}
    for module, flags in (work[name] for name in options.benchmarks):
        benchmark = module.BENCHMARK
        names = [n for n in options.contenders if n in benchmark.contenders]
        if module is generation and "hf-compile" in names:
            names.remove("hf-compile")  # compiles anew for every new token
        parser = harness.make_parser(benchmark)
        chosen = parser.parse_args(
            [*flags.split(), "--tokens", *tokens, "--contenders", *names]
        )
        stack.enter_context(benchmark.prepare(chosen))
        times = {"warm_up": 3, "repeats": options.repeats}
        for case in benchmark.cases(chosen):
            for name in names:
                if not benchmark.skips(name, case):
                    yield module, name, {**case, **times}


if __name__ == "__main__":
    main()

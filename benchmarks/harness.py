"""Runs one benchmark: cases, contenders in turn, processes, records.

A benchmark is a module with a `BENCHMARK`. Started plainly it measures all
its cases and writes them as JSON; started with `--measure` it is one of the
processes that measure, and prints one measurement as its last line.
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import statistics
import time
from collections.abc import Callable

from benchmarks.contenders import CONTENDERS
from benchmarks.processes import ROOT
from benchmarks.processes import measure_apart
from benchmarks.processes import processor
from benchmarks.processes import turn_on_device

RESULTS = ROOT / "benchmarks" / "results"
DTYPES = ("float32", "bfloat16", "mixed_bfloat16", "int8")


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """What makes one benchmark differ from another.

    Args:
        name: str, of its module, and in its records.
        title: str, one line on what is timed.
        contenders: tuple of str, who takes part.
        add_arguments: callable that takes an `argparse` parser.
        cases: callable from the parsed options to a list of dicts ready for
            JSON, one a row group of the table.
        measure: callable from a contender's name and a case to a dict with
            "seconds", a list of float, and what else is known.
        skips: callable from a contender's name and a case to whether the two
            do not go together, so that there is no row.
        prepare: callable from the parsed options to a context manager around
            all measurements, which may complete the options.
        warm_up: int, calls of a process that do not count, by default.
    """

    name: str
    title: str
    contenders: tuple
    add_arguments: Callable
    cases: Callable
    measure: Callable
    skips: Callable = lambda contender, case: False
    prepare: Callable = lambda options: contextlib.nullcontext()
    warm_up: int = 1


def time_calls(call, warm_up, repeats, clock=time.perf_counter):
    """Times calls one by one after some that do not count.

    Args:
        call: callable that waits for its result.
        warm_up: int, calls that compile and fill caches.
        repeats: int, calls that count.
        clock: callable that returns seconds.

    Returns:
        Pair of a dict ("warm_up_seconds" and "seconds", a list) and the last
        result.
    """
    started = clock()
    result = None
    for _ in range(warm_up):
        result = call()
    before = clock() - started
    seconds = []
    with turn_on_device():
        for _ in range(repeats):
            started = clock()
            result = call()
            seconds.append(round(clock() - started, 5))
    return {"warm_up_seconds": round(before, 3), "seconds": seconds}, result


def make_parser(benchmark):
    """The command line of a benchmark, an `argparse.ArgumentParser`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{benchmark.name}",
        description=benchmark.title,
    )
    benchmark.add_arguments(parser)
    parser.add_argument(
        "--contenders",
        nargs="+",
        default=list(benchmark.contenders),
        choices=benchmark.contenders,
    )
    add_common_arguments(parser, benchmark.warm_up)
    default = RESULTS / f"{benchmark.name}.json"
    parser.add_argument("--output", type=pathlib.Path, default=default)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    return parser


def add_common_arguments(parser, warm_up):
    """Adds what every benchmark takes to an `argparse` parser."""
    parser.add_argument("--warm-up", type=int, default=warm_up, help="calls")
    parser.add_argument("--repeats", type=int, default=1, help="per process")
    parser.add_argument("--rounds", type=int, default=3, help="processes each")
    parser.add_argument(
        "--dtypes", nargs="+", default=["float32"], choices=DTYPES
    )


def run(benchmark, options, say=print):
    """Measures every case; cases and contenders take turns.

    Args:
        benchmark: `Benchmark`.
        options: its parsed command line.
        say: callable that shows one line.

    Returns:
        List of records, dicts.
    """
    records = []
    times = {"warm_up": options.warm_up, "repeats": options.repeats}
    with benchmark.prepare(options):
        cases = [{**case, **times} for case in benchmark.cases(options)]
        turns = take_turns(benchmark, options, cases)
        for case, found in zip(cases, turns, strict=True):
            for path in ("directory", "model"):  # of this machine only
                case.pop(path, None)
            for name, runs in found.items():
                about = {"benchmark": benchmark.name, "contender": name}
                records.append({**about, **case, **merge(runs)})
                say(line_of(records[-1]))
    return records


def take_turns(benchmark, options, cases):
    """Measures all cases, a process for each contender in each round.

    A round goes through all of them: a machine that is slow for some minutes
    is so for the lengths that are compared, as it is for the contenders.

    Args:
        benchmark: `Benchmark`.
        options: its parsed command line.
        cases: list of dicts.

    Returns:
        For each case a dict of contender's name to the list of its
        measurements.
    """
    module = f"benchmarks.{benchmark.name}"
    turns = []
    for case in cases:
        names = [n for n in options.contenders if not benchmark.skips(n, case)]
        turns.append({name: [] for name in names})
    for _ in range(options.rounds):
        for case, found in zip(cases, turns, strict=True):
            for name, runs in found.items():
                # What failed once would fail again.
                if not any("failed" in run for run in runs):
                    runs.append(measure_apart(module, CONTENDERS[name], case))
    return turns


def merge(runs):
    """Joins what several processes measured of the same thing.

    Args:
        runs: list of dicts, as `Benchmark.measure` returns them.

    Returns:
        Dict: the seconds of all of them and their median, the largest peak,
        the limits and their median too, since a machine that others share is
        faster and slower by the minute, and the least of many would compare
        its best one with a usual one; the first failure alone if there was
        one.
    """
    failures = [run for run in runs if "failed" in run]
    if failures:
        return failures[0]
    seconds = [value for run in runs for value in run["seconds"]]
    merged = {
        **runs[0],
        "processes": len(runs),
        "seconds": seconds,
        "median_seconds": statistics.median(seconds),
    }
    for key in ("peak_gigabytes", "peak_device_gigabytes"):
        values = [run[key] for run in runs if run.get(key) is not None]
        if values:
            merged[key] = max(values)
    limits = [run["limit_seconds"] for run in runs if "limit_seconds" in run]
    if limits:
        limit = statistics.median(limits)
        merged["limits"] = limits
        merged["limit_seconds"] = limit
        merged["times_limit"] = merged["median_seconds"] / limit
    return merged


def line_of(record):
    """One record as a line for people who wait."""
    label = CONTENDERS[record["contender"]].label
    tokens = f"{record['tokens']:>6} tokens  " if "tokens" in record else ""
    head = f"{record['benchmark']:<10}  {tokens}{label:<28}  "
    if record.get("layers", 6) != 6:
        head += f"layers: {record['layers']}  "
    if record.get("checkpointing"):
        head += "checkpointing  "
    if record.get("dtype", "float32") != "float32":
        head += f"{record['dtype']}  "
    if "failed" in record:
        return head + f"not measured: {record['failed']}"
    seconds = record["seconds"]
    head += (
        f"median {record['median_seconds']:.4g} s of {len(seconds)} "
        f"({min(seconds):.4g} to {max(seconds):.4g})"
    )
    if "peak_gigabytes" in record:
        head += f"  peak {record['peak_gigabytes']:.2f} GB"
    if "times_limit" in record:
        head += f"  {record['times_limit']:.2f} x limit"
    return head


def machine():
    """What measured, a dict: the date, the processor, the load."""
    name, cores = processor()
    return {
        "date": datetime.date.today().isoformat(),
        "processor": name,
        "cores": cores,
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def write_json(path, content):
    """Writes results, making the folder when needed.

    Args:
        path: `pathlib.Path`.
        content: dict ready for JSON.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1) + "\n"
    staging = path.with_name(path.name + ".part")
    staging.write_text(text, encoding="utf-8")
    staging.replace(path)


def main(benchmark, arguments=None):
    """Measures in this process, or compares in others and writes JSON.

    Args:
        benchmark: `Benchmark`.
        arguments: list of str, or `None` for the command line's.
    """
    options = make_parser(benchmark).parse_args(arguments)
    if options.measure:
        print(json.dumps(benchmark.measure(options.measure, options.case)))
        return
    facts = machine()
    print(
        f"{facts['processor']}, {facts['cores']} cores, load "
        f"{facts['load_before']} before the start",
        flush=True,
    )
    records = run(benchmark, options, lambda line: print(line, flush=True))
    write_json(options.output, {**facts, "results": records})

"""Runs all benchmarks: one table, one JSON, one plot, one documentation page.

    python -m benchmarks.run_all                      # hours on two cores
    python -m benchmarks.run_all --quick              # minutes: does it work?
    python -m benchmarks.run_all --only encoder memory --write-docs
    python -m benchmarks.run_all --show --write-docs  # from the JSON of before

Results of `benchmarks.accelerator` and `benchmarks.long` are shown, and put
into the page, by

    python -m benchmarks.run_all --show --output FILE.json \\
        --section accelerator --write-docs

What is measured again replaces its rows in the JSON; other rows stay.
"""

import argparse
import json
import pathlib

from benchmarks import encoder
from benchmarks import generation
from benchmarks import harness
from benchmarks import memory
from benchmarks import plots
from benchmarks import report
from benchmarks import startup
from benchmarks import training
from benchmarks.contenders import CONTENDERS
from benchmarks.harness import RESULTS
from benchmarks.processes import ROOT

BENCHMARKS = {
    module.BENCHMARK.name: module.BENCHMARK
    for module in (encoder, memory, generation, training, startup)
}
# Arguments beside the defaults: `--quick`, and the further dtypes.
QUICK = {
    "encoder": "--tokens 512 --layers 1",
    "memory": "--tokens 512 513 1024 --layers 1",
    "generation": "--tokens 512 --new-tokens 4 --layers 1",
    "training": "--tokens 512 --targets 32 --layers 1 --checkpointing off",
    "startup": "--tokens 512",
}
# The whole of led-base beside its 2+2 layers: does a step fit in memory?
DEEP_TRAINING = "--layers 6 --tokens 16384 --checkpointing on"
MORE_DTYPES = {"encoder": ("bfloat16", "int8"), "generation": ("int8",)}
MORE_CONTENDERS = ("tensorflow", "torch", "hf-torch")
README = ROOT / "README.md"
DOCUMENT = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.png"
PICTURES = {report.SECTIONS[0]: PICTURE, "long": PICTURE.with_name("long.png")}


def parse(arguments=None):
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run_all",
        description=__doc__.splitlines()[0],
    )
    parser.add_argument(
        "--only", nargs="+", default=list(BENCHMARKS), choices=BENCHMARKS
    )
    parser.add_argument(
        "--contenders",
        nargs="+",
        default=list(CONTENDERS),
        choices=list(CONTENDERS),
    )
    parser.add_argument("--quick", action="store_true", help="small, once")
    parser.add_argument("--rounds", type=int, default=3, help="processes each")
    parser.add_argument("--repeats", type=int, default=1, help="per process")
    parser.add_argument(
        "--float32-only", action="store_true", help="no other dtypes"
    )
    parser.add_argument("--model", help="checkpoint for the first token")
    parser.add_argument(
        "--show", action="store_true", help="measure nothing, read --output"
    )
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument(
        "--section",
        default=report.SECTIONS[0],
        choices=report.SECTIONS,
        help="of docs/performance.md",
    )
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument(
        "--write-docs", action="store_true", help="into docs/performance.md"
    )
    options = parser.parse_args(arguments)
    name = "quick" if options.quick else "results"
    options.output = options.output or RESULTS / f"{name}.json"
    options.plot = options.plot or options.output.with_suffix(".png")
    if options.quick and options.write_docs:
        parser.error("--write-docs wants a whole run, not --quick")
    return options


def plan(options):
    """The runs of single benchmarks that make up the whole.

    Args:
        options: parsed command line.

    Returns:
        List of pairs of a `Benchmark` and its parsed command line.
    """
    runs = []
    for name in options.only:
        benchmark = BENCHMARKS[name]
        rounds = 1 if options.quick else options.rounds
        common = ["--rounds", str(rounds), "--repeats", str(options.repeats)]
        if options.quick:
            common += QUICK[name].split()
        if name == "startup" and options.model:
            common += ["--model", options.model]
        dtypes = [(("float32",), options.contenders)]
        if not options.float32_only and name in MORE_DTYPES:
            few = [n for n in options.contenders if n in MORE_CONTENDERS]
            dtypes.append((MORE_DTYPES[name], few))
        for wanted, contenders in dtypes:
            names = [n for n in contenders if n in benchmark.contenders]
            if not names:
                continue
            arguments = ["--contenders", *names, "--dtypes", *wanted, *common]
            parser = harness.make_parser(benchmark)
            runs.append((benchmark, parser.parse_args(arguments)))
            if name == "training" and not options.quick:
                arguments += DEEP_TRAINING.split()
                runs.append((benchmark, parser.parse_args(arguments)))
    return runs


def key_of(record):
    """What tells a record from others, a tuple."""
    return (
        report.what(record),
        record["contender"],
        record.get("dtype", "float32"),
    )


def joined(old, new):
    """Old records, those that were measured again replaced, then new ones.

    Args:
        old: list of records.
        new: list of records.

    Returns:
        List of records, the benchmarks in the order of `BENCHMARKS`.
    """
    found = {key_of(record): record for record in (*old, *new)}
    order = list(BENCHMARKS)
    return sorted(found.values(), key=lambda r: order.index(r["benchmark"]))


def read_records(path):
    """The records of a JSON of results, a list; empty where there is none."""
    if not path.exists():
        return []
    return json.loads(path.read_text("utf-8"))["results"]


def measure(options, say):
    """Runs the plan and writes what is known after every benchmark.

    Args:
        options: parsed command line.
        say: callable that shows one line.

    Returns:
        Dict: the machine and all records.
    """
    old = read_records(options.output)
    facts = harness.machine()
    content = {**facts, "results": old}
    for benchmark, chosen in plan(options):
        say(f"{benchmark.title}")
        new = harness.run(benchmark, chosen, say)
        content = {**facts, "results": joined(content["results"], new)}
        harness.write_json(options.output, content)
    return content


def section(content, picture=None):
    """The results for the documentation, str.

    Args:
        content: dict, the machine and all records.
        picture: str, address of the plot from the page, or `None` for none.

    Returns:
        Markdown text.
    """
    parts = [report.conditions(content)]
    if picture is not None:
        parts.append(
            f"![Time and memory by length, decoding, training]({picture})"
        )
    return "\n\n".join((*parts, report.as_markdown(content["results"])))


def write_document(content, name):
    """Inserts the results into the page, and draws its plot.

    Args:
        content: dict, the machine and all records.
        name: str, of the section; that of an accelerator has no plot and no
            rows in the README.
    """
    picture = None
    if name in PICTURES:
        plots.draw(content, PICTURES[name])
        picture = PICTURES[name].relative_to(DOCUMENT.parent).as_posix()
    if name == report.SECTIONS[0]:
        readme = README.read_text("utf-8")
        brief = report.in_brief(content["results"])
        readme = report.insert(readme, brief, report.IN_BRIEF)
        README.write_text(readme, encoding="utf-8")
    page = DOCUMENT.read_text("utf-8")
    page = report.insert(page, section(content, picture), name)
    DOCUMENT.write_text(page, encoding="utf-8")


def main():
    """Measures, or reads, and shows the results in every form."""
    options = parse()
    if options.show:
        content = json.loads(options.output.read_text("utf-8"))
    else:
        content = measure(options, lambda line: print(line, flush=True))
    print()
    print(report.conditions(content))
    print(report.as_text(content["results"]))
    print(options.output)
    if options.section in PICTURES:
        plots.draw(content, options.plot)
        print(options.plot)
    if options.write_docs:
        write_document(content, options.section)
        print(DOCUMENT)


if __name__ == "__main__":
    main()

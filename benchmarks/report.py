"""One table of all records, as text and as Markdown."""

import math

from benchmarks.contenders import BACKENDS
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders import PEER

HEADS = (
    "measured",
    "contender",
    "dtype",
    "seconds",
    "least to most",
    "memory",
    "limit",
    "x limit",
    "x Hugging Face",
    "note",
)
# The parts of the page that are written by a program, by their names, and the
# one of the README.
SECTIONS = ("results", "accelerator", "long")
IN_BRIEF = "in brief"
# What the README shows, in the words of `what`.
BRIEF_ROWS = (
    "encoder, 16,384 tokens",
    "decoding 32 tokens, 4 beams, 16,384 tokens",
    "training step, 2+2 layers, 4,096 tokens",
    "training step, 2+2 layers, 16,384 tokens",
)


def marks(section):
    """The lines around a section of the page, a pair of str."""
    return (
        f"<!-- {section}: begin, written by benchmarks/run_all.py -->",
        f"<!-- {section}: end -->",
    )


def what(record):
    """What a record measured, in words, its contender left out."""
    name = record["benchmark"]
    if name in ("encoder", "memory"):
        text = f"encoder, {record['tokens']:,} tokens"
        if record["layers"] != 6:
            text += f", layers: {record['layers']}"
        if record["batch"] != 1:
            text += f", documents: {record['batch']}"
        return text + (" (by length)" if name == "memory" else "")
    if name == "generation":
        return (
            f"decoding {record['new_tokens']} tokens, {record['beams']} beams, "
            f"{record['tokens']:,} tokens"
        )
    if name == "training":
        text = (
            f"training step, {record['layers']}+{record['layers']} layers, "
            f"{record['tokens']:,} tokens"
        )
        return text + (", checkpointing" if record["checkpointing"] else "")
    if name == "long":
        return f"{work_of(record)}, {record['tokens']:,} tokens"
    if record["part"] == "import":
        return "import"
    return f"first token, {record['tokens']:,} tokens"


def work_of(record):
    """What a record of benchmarks/long.py measured, the length left out."""
    return {
        "encoder": "encoder",
        "training": "training step",
        "generation": (
            f"decoding {record['new_tokens']} tokens, {record['beams']} beams"
        ),
    }[record["work"]]


def peer_of(record, records):
    """The record of Hugging Face on PyTorch that a record stands beside.

    Args:
        record: dict.
        records: list of dicts, all of them.

    Returns:
        Dict, measured in the same dtype, or else in float32, or `None`.
    """
    peers = {
        other.get("dtype"): other
        for other in records
        if other["contender"] == PEER
        and "failed" not in other
        and what(other) == what(record)
    }
    return peers.get(record.get("dtype"), peers.get("float32"))


def shorter_by_one(record, records):
    """The record of the same contender with one token less, or `None`."""
    for other in records:
        if (
            other["benchmark"] == record["benchmark"] == "memory"
            and other["tokens"] == record["tokens"] - 1
            and other["contender"] == record["contender"]
            and other["dtype"] == record["dtype"]
            and "failed" not in other
        ):
            return other
    return None


def quarter_of(record, records):
    """The record of a document a quarter as long, or `None`."""
    if record["benchmark"] != "long":
        return None
    quarter = {**record, "tokens": record["tokens"] // 4}
    for other in records:
        if (
            what(other) == what(quarter)
            and other["contender"] == record["contender"]
            and other["dtype"] == record["dtype"]
            and "failed" not in other
        ):
            return other
    return None


def notes(record, records):
    """What the numbers do not say, a list of str.

    Args:
        record: dict.
        records: list of dicts, all of them.

    Returns:
        List of str.
    """
    found = []
    if "relative_error" in record:
        found.append(
            f"hidden states {record['relative_error']:.2%} from float32 (rms)"
        )
    peer = peer_of(record, records)
    if "ids" in record and peer is not None and peer is not record:
        same = record["ids"] == peer["ids"]
        found.append("same tokens" if same else "OTHER TOKENS")
    if "encoder_seconds" in record:
        found.append(f"encoder {number(record['encoder_seconds'])} s")
    if "keras_seconds" in record:
        ratio = record["median_seconds"] / record["keras_seconds"]
        found.append(
            f"{ratio:.2f} x `import keras` ({record['keras_seconds']:.2f} s)"
        )
    if "parts" in record:
        parts = record["parts"].items()
        found.append(", ".join(f"{name} {value:.2f}" for name, value in parts))
    before = shorter_by_one(record, records)
    if before is not None:
        time = record["median_seconds"] / before["median_seconds"]
        memory = record["peak_gigabytes"] / before["peak_gigabytes"]
        found.append(
            f"time {time:.2f} x, memory {memory:.2f} x of "
            f"{before['tokens']:,} tokens"
        )
    if record["benchmark"] == "long":
        start = record["peak_gigabytes_before_calls"]
        found.append(f"{start:.2f} GB before the first call")
    before = quarter_of(record, records)
    if before is not None:
        ratio = record["median_seconds"] / before["median_seconds"]
        found.append(f"time {ratio:.1f} x of {before['tokens']:,} tokens")
    return found


def number(value):
    """A positive number with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    decimals = 2 - math.floor(math.log10(value)) if value > 0 else 3
    return f"{value:.{decimals}f}"


def row(record, records):
    """One record as a list of str, one for each of `HEADS`."""
    head = [
        what(record),
        CONTENDERS[record["contender"]].label,
        record.get("dtype", ""),
    ]
    if "failed" in record:
        blank = [""] * (len(HEADS) - len(head) - 1)
        return [*head, *blank, f"not measured: {record['failed']}"]
    seconds = record["seconds"]
    memory = ""
    if "peak_gigabytes" in record:
        memory = f"{record['peak_gigabytes']:.2f} GB"
    if record.get("peak_device_gigabytes") is not None:
        memory += f" + {record['peak_device_gigabytes']:.2f} GB on device"
    limit = record.get("limit_seconds")
    peer = peer_of(record, records)
    faster = ""
    if peer is not None:
        ratio = peer["median_seconds"] / record["median_seconds"]
        faster = f"{ratio:.2f}"
    return [
        *head,
        number(record["median_seconds"]),
        f"{number(min(seconds))} to {number(max(seconds))}",
        memory,
        "" if limit is None else number(limit),
        "" if limit is None else f"{record['times_limit']:.2f}",
        faster,
        "; ".join(notes(record, records)),
    ]


def rows(records):
    """All records as rows of the table, in the order given."""
    return [row(record, records) for record in records]


def as_text(records):
    """The table for a terminal, str: columns aligned, notes at the end."""
    table = [list(HEADS), *rows(records)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEADS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 3 <= i < len(HEADS) - 1 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )


def as_markdown(records):
    """The table for the documentation, str."""
    marks = ["---"] * 3 + ["--:"] * (len(HEADS) - 4) + ["---"]
    lines = [list(HEADS), marks]
    for line in rows(records):
        lines.append([cell.replace("|", "\\|") for cell in line])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def in_brief(records):
    """The rows of the README: each backend beside Hugging Face on PyTorch.

    Args:
        records: list of dicts.

    Returns:
        Markdown table, str: how many times faster, and gigabytes.
    """
    shown = (*BACKENDS, PEER)
    labels = [CONTENDERS[name].label for name in shown]
    lines = [["led-base, float32", *labels], ["---"] + ["--:"] * len(shown)]
    for title in BRIEF_ROWS:
        of_title = {
            record["contender"]: record
            for record in records
            if what(record) == title
            and record["dtype"] == "float32"
            and "failed" not in record
        }
        if set(shown) - set(of_title):
            continue
        peer = of_title[PEER]["median_seconds"]
        cells = [title]
        for name in shown:
            seconds = of_title[name]["median_seconds"]
            speed = (
                f"{number(seconds)} s"
                if name == PEER
                else f"{peer / seconds:.1f} x faster"
            )
            cells.append(f"{speed}, {of_title[name]['peak_gigabytes']:.1f} GB")
        lines.append(cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def conditions(content):
    """Machine, versions and number of measurements, a sentence or three.

    Args:
        content: dict, as run_all.py writes it.

    Returns:
        str.
    """
    measured = [r for r in content["results"] if "failed" not in r]
    devices = dict.fromkeys(r["device"] for r in measured if "device" in r)
    versions = {}
    for record in measured:
        for name, version in record.get("versions", {}).items():
            versions.setdefault(name, {})[version] = None
    libraries = ", ".join(
        f"{name} {' and '.join(found)}" for name, found in versions.items()
    )
    counts = sorted({len(r["seconds"]) for r in measured})
    ends = dict.fromkeys(counts[:1] + counts[-1:]) or ("none",)
    times = " to ".join(str(count) for count in ends)
    return (
        f"Measured on {content['date']}, device {', '.join(devices)}; "
        f"{count_of_cores(content)}, load {content['load_before']} before the "
        f"start. Each row is a median; calls that count: {times}. "
        f"Versions: {libraries}."
    )


def count_of_cores(content):
    """How many cores measured, in words."""
    cores = content["cores"]
    return "1 core" if cores == 1 else f"{cores} cores"


def insert(document, text, section="results"):
    """Puts text between the two marks of a section.

    Args:
        document: str, with both `marks` once.
        text: str.
        section: str, one of `SECTIONS`, or `IN_BRIEF`.

    Returns:
        The new document, str.

    Raises:
        ValueError: If a mark is missing or there twice.
    """
    begin, end = marks(section)
    for mark in (begin, end):
        if document.count(mark) != 1:
            raise ValueError(
                "`document` must hold each mark once. "
                f"Received: {mark} {document.count(mark)} times."
            )
    before, rest = document.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"

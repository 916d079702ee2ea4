"""The plot of the results: time and memory by length, decoding, training."""

from benchmarks import report
from benchmarks.contenders import CONTENDERS

# One colour a contender, in every panel; told apart by colour-blind eyes too.
COLOURS = {
    "tensorflow": "#e69f00",
    "jax": "#009e73",
    "torch": "#0072b2",
    "hf-torch": "#999999",
    "hf-compile": "#cc79a7",
    "hf-tensorflow": "#555555",
    "kerashub": "#56b4e9",
    "kerashub-t5gemma2": "#d55e00",
}


def chosen(records, *names):
    """Records of some benchmarks that were measured, in float32."""
    return [
        record
        for record in records
        if record["benchmark"] in names
        and record["dtype"] == "float32"
        and "failed" not in record
    ]


def by_contender(records, value):
    """Points of a line for each contender.

    Args:
        records: list of dicts with "tokens". Those of one token more than
            another of the contender are left out: the table compares them.
        value: str, key of what is drawn.

    Returns:
        Dict of contender to a sorted list of (tokens, value); where two
        records have the same length, the later one counts.
    """
    lines = {}
    for record in records:
        if report.shorter_by_one(record, records) is None:
            points = lines.setdefault(record["contender"], {})
            points[record["tokens"]] = record[value]
    return {name: sorted(points.items()) for name, points in lines.items()}


def draw_lines(axes, records, value, title, unit):
    """Draws one line a contender over the length.

    Args:
        axes: matplotlib axes.
        records: list of dicts.
        value: str, key of what is drawn.
        title: str.
        unit: str, of the value.
    """
    for name, points in by_contender(records, value).items():
        axes.plot(
            *zip(*points, strict=True),
            marker="o",
            color=COLOURS[name],
            label=CONTENDERS[name].label,
        )
    axes.set(title=title, xlabel="tokens", ylabel=unit)
    axes.set_xscale("log", base=4)
    if unit == "seconds":
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3)


def draw_bars(axes, records, title):
    """Draws seconds as bars and each bar's limit as a line across it.

    Beside a bar stand its seconds and, for all but Hugging Face's own, how
    many times faster than that it is.

    Args:
        axes: matplotlib axes.
        records: list of dicts; those of the longest document are drawn.
        title: str.
    """
    longest = max(record["tokens"] for record in records)
    shown = [record for record in records if record["tokens"] == longest]
    shown.sort(key=lambda record: record["median_seconds"], reverse=True)
    for place, record in enumerate(shown):
        name, seconds = record["contender"], record["median_seconds"]
        axes.barh(place, seconds, color=COLOURS[name])
        limit = record["limit_seconds"]
        axes.plot([limit, limit], [place - 0.4, place + 0.4], color="black")
        peer = report.peer_of(record, shown)
        text = f" {seconds:.3g} s"
        if peer is not None and peer is not record:
            text += f", {peer['median_seconds'] / seconds:.1f} x"
        axes.text(seconds, place, text, va="center")
    labels = [CONTENDERS[record["contender"]].label for record in shown]
    axes.set_yticks(range(len(shown)), labels)
    axes.set(title=f"{title}, {longest:,} tokens", xlabel="seconds")
    axes.margins(x=0.3)


def draw(content, path):
    """Draws what was measured and writes it as a picture.

    Panels without records are left out.

    Args:
        content: dict, as run_all.py writes it.
        path: `pathlib.Path` of a .png.

    Returns:
        Titles of the panels, a list of str.
    """
    from matplotlib.figure import Figure

    records = content["results"]
    encoder = chosen(records, "encoder", "memory")
    panels = []
    if encoder:
        panels.append(
            lambda axes: draw_lines(
                axes, encoder, "median_seconds", "Encoder: time", "seconds"
            )
        )
        panels.append(
            lambda axes: draw_lines(
                axes, encoder, "peak_gigabytes", "Encoder: memory", "GB"
            )
        )
    decoding = chosen(records, "generation")
    if decoding:
        tokens, beams = (decoding[0][key] for key in ("new_tokens", "beams"))
        title = f"Decoding {tokens} tokens, {beams} beams"
        panels.append(lambda axes: draw_bars(axes, decoding, title))
    training = [
        r for r in chosen(records, "training") if not r["checkpointing"]
    ]
    if training:
        panels.append(lambda axes: draw_bars(axes, training, "Training step"))
    long = chosen(records, "long")
    for work in dict.fromkeys(map(report.work_of, long)):
        of_work = [r for r in long if report.work_of(r) == work]
        for what, unit in (("time", "seconds"), ("memory", "GB")):
            value = "median_seconds" if what == "time" else "peak_gigabytes"
            drawn = of_work, value, f"{work.capitalize()}: {what}", unit
            panels.append(lambda axes, drawn=drawn: draw_lines(axes, *drawn))
    if not panels:
        return []
    # Two panels a row: a column of a page is about 700 points wide.
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(5 * columns, 3.6 * rows), layout="constrained")
    all_axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    while len(all_axes) > len(panels):
        all_axes.pop().remove()
    for draw_panel, axes in zip(panels, all_axes, strict=True):
        draw_panel(axes)
    if encoder or long:
        figure.legend(
            *all_axes[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=3,
            fontsize="small",
        )
    machine = f"{content['processor']}, {report.count_of_cores(content)}"
    bars = (
        "; black: the least time of this machine; x: as fast as Hugging Face, "
        "PyTorch"
    )
    figure.suptitle(
        f"{machine}, float32{bars if decoding or training else ''}",
        fontsize="small",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    return [axes.get_title() for axes in all_axes]

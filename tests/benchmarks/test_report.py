"""The table, the plot, and their place in the documentation."""

import copy
import json

import pytest
from keras import backend

from benchmarks import contenders
from benchmarks import plots
from benchmarks import report
from benchmarks import run_all

pytestmark = pytest.mark.skipif(
    backend.backend() != "torch", reason="no backend runs: tested once"
)


def record(contender, seconds, benchmark="encoder", **more):
    return {
        "benchmark": benchmark,
        "contender": contender,
        "tokens": 4096,
        "layers": 6,
        "batch": 1,
        "dtype": "float32",
        "device": "a processor",
        "versions": {"keras": "3.15"},
        "seconds": [seconds, seconds + 0.5],
        "median_seconds": seconds,
        "peak_gigabytes": 1.25,
        "limit_seconds": 1.0,
        "times_limit": seconds,
        **more,
    }


GENERATION = {"new_tokens": 32, "beams": 4, "encoder_seconds": 0.5}
TRAINING = {"checkpointing": False, "targets": 256}
IMPORT = {
    "benchmark": "startup",
    "contender": "jax",
    "part": "import",
    "seconds": [2.2],
    "median_seconds": 2.2,
    "keras_seconds": 2.0,
}


@pytest.fixture
def content():
    return copy.deepcopy(
        {
            "date": "2026-01-02",
            "processor": "a processor",
            "cores": 2,
            "load_before": 0.1,
            "results": [
                record("jax", 2.0),
                record("hf-torch", 9.0),
                record("jax", 3.0, dtype="bfloat16", relative_error=0.0123),
                record("jax", 1.0, "memory", tokens=1024),
                record("jax", 1.5, "memory", tokens=1025, peak_gigabytes=2.5),
                record("jax", 1.0, "generation", ids=[[2, 5]], **GENERATION),
                record("torch", 2.0, "generation", ids=[[2]], **GENERATION),
                record(
                    "hf-torch", 5.0, "generation", ids=[[2, 5]], **GENERATION
                ),
                record("torch", 7.0, "training", **TRAINING),
                {
                    "benchmark": "encoder",
                    "contender": "hf-compile",
                    "tokens": 4096,
                    "layers": 6,
                    "batch": 1,
                    "dtype": "float32",
                    "failed": "RuntimeError: a | b",
                },
                IMPORT,
            ],
        }
    )


def cells(content, place):
    found = report.row(content["results"][place], content["results"])
    return dict(zip(report.HEADS, found, strict=True))


def test_row_stands_beside_the_peer_and_the_limit(content):
    found = cells(content, 0)
    assert found["measured"] == "encoder, 4,096 tokens"
    assert found["contender"] == "keras_led, JAX"
    assert found["seconds"] == "2.00"
    assert found["least to most"] == "2.00 to 2.50"
    assert found["memory"] == "1.25 GB"
    assert found["x limit"] == "2.00"
    assert found["x Hugging Face"] == "4.50"
    assert cells(content, 1)["x Hugging Face"] == "1.00"
    # Another dtype too is compared with the peer's float32.
    assert cells(content, 2)["x Hugging Face"] == "3.00"


def test_other_sizes_are_named_and_not_compared(content):
    content["results"][0].update(batch=2, layers=3)
    found = cells(content, 0)
    assert found["measured"] == "encoder, 4,096 tokens, layers: 3, documents: 2"
    assert found["x Hugging Face"] == ""


def test_notes_say_what_the_numbers_do_not(content):
    assert "1.23% from float32" in cells(content, 2)["note"]
    assert cells(content, 3)["note"] == ""
    expected = "time 1.50 x, memory 2.00 x of 1,024 tokens"
    assert cells(content, 4)["note"] == expected
    assert cells(content, 5)["note"] == "same tokens; encoder 0.500 s"
    assert cells(content, 6)["note"].startswith("OTHER TOKENS")
    assert cells(content, 7)["note"] == "encoder 0.500 s"
    assert cells(content, 10)["note"] == "1.10 x `import keras` (2.00 s)"


def test_failure_keeps_its_row_and_its_reason(content):
    found = cells(content, 9)
    assert found["seconds"] == ""
    assert found["note"] == "not measured: RuntimeError: a | b"


def test_memory_on_a_device_is_named(content):
    content["results"][0]["peak_device_gigabytes"] = 0.5
    assert cells(content, 0)["memory"] == "1.25 GB + 0.50 GB on device"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1234.5, "1,234"),
        (12.34, "12.3"),
        (1.234, "1.23"),
        (0.01234, "0.0123"),
    ],
)
def test_numbers_have_three_digits_that_count(value, expected):
    assert report.number(value) == expected


def test_tables_have_a_row_for_each_record(content):
    records = content["results"]
    lines = report.as_text(records).splitlines()
    assert len(lines) == len(records) + 1
    start = lines[0].index("dtype")
    assert lines[3][start:].startswith("bfloat16")
    marked = report.as_markdown(records).splitlines()
    assert len(marked) == len(records) + 2
    bars = {line.replace("\\|", "").count("|") for line in marked}
    assert bars == {len(report.HEADS) + 1}


def test_conditions_name_device_versions_and_counts(content):
    text = report.conditions(content)
    assert "device a processor; 2 cores" in text
    assert "calls that count: 1 to 2." in text
    assert "keras 3.15" in text


def test_results_go_between_the_marks():
    begin, end = report.marks("results")
    page = f"before\n{begin}\nold\n{end}\nafter\n"
    found = report.insert(page, "new")
    assert "old" not in found
    assert found.startswith("before\n")
    assert found.endswith("after\n")
    assert report.insert(found, "new") == found
    with pytest.raises(ValueError, match=r"each mark once.*end --> 0 times"):
        report.insert(begin, "new")


def test_what_is_measured_again_replaces_its_rows(content):
    old = content["results"]
    again = record("jax", 1.75)
    joined = run_all.joined(old, [again])
    assert len(joined) == len(old)
    assert again in joined
    assert old[0] not in joined
    order = [r["benchmark"] for r in joined]
    assert order == sorted(order, key=list(run_all.BENCHMARKS).index)


def test_plan_gives_every_benchmark_its_contenders():
    options = run_all.parse(["--quick", "--contenders", "kerashub", "torch"])
    runs = [
        (benchmark.name, chosen.contenders, chosen.dtypes)
        for benchmark, chosen in run_all.plan(options)
    ]
    assert runs[0] == ("encoder", ["kerashub", "torch"], ["float32"])
    assert ("encoder", ["torch"], ["bfloat16", "int8"]) in runs
    assert {name for name, *_ in runs} == set(run_all.BENCHMARKS)
    assert all(chosen.rounds == 1 for _, chosen in run_all.plan(options))


def test_plot_has_a_panel_for_each_kind(content, tmp_path):
    path = tmp_path / "plot.png"
    assert plots.draw(content, path) == [
        "Encoder: time",
        "Encoder: memory",
        "Decoding 32 tokens, 4 beams, 4,096 tokens",
        "Training step, 4,096 tokens",
    ]
    assert path.read_bytes().startswith(b"\x89PNG")
    empty = {**content, "results": [IMPORT]}
    assert plots.draw(empty, tmp_path / "none.png") == []


def test_page_shows_the_results_that_are_kept():
    page = run_all.DOCUMENT.read_text("utf-8")
    path = run_all.RESULTS / "results.json"
    if not path.exists():
        pytest.skip("nothing was measured yet")
    content = json.loads(path.read_text("utf-8"))
    address = run_all.PICTURE.relative_to(run_all.DOCUMENT.parent).as_posix()
    assert report.insert(page, run_all.section(content, address)) == page
    readme = run_all.README.read_text("utf-8")
    brief = report.in_brief(content["results"])
    assert all(title in brief for title in report.BRIEF_ROWS)
    assert report.insert(readme, brief, report.IN_BRIEF) == readme


def test_the_readme_has_only_rows_that_all_have():
    rows = [record(name, 2.0, tokens=16384) for name in contenders.BACKENDS]
    assert len(report.in_brief(rows).splitlines()) == 2
    rows.append(record("hf-torch", 9.0, tokens=16384))
    cell = "4.5 x faster, 1.2 GB"
    assert report.in_brief(rows).splitlines()[2] == (
        f"| encoder, 16,384 tokens | {' | '.join([cell] * 3)} "
        "| 9.00 s, 1.2 GB |"
    )


def test_page_shows_how_time_and_memory_grow():
    page = run_all.DOCUMENT.read_text("utf-8")
    content = json.loads((run_all.RESULTS / "long.json").read_text("utf-8"))
    address = run_all.PICTURES["long"].relative_to(run_all.DOCUMENT.parent)
    text = run_all.section(content, address.as_posix())
    assert report.insert(page, text, "long") == page


def test_plot_of_lengths_has_two_panels_for_each_work(content, tmp_path):
    content["results"] = [
        record("jax", 2.0, "long", tokens=tokens, work="encoder", **GENERATION)
        for tokens in (1024, 4096)
    ]
    path = tmp_path / "long.png"
    assert plots.draw(content, path) == [
        "Encoder: time",
        "Encoder: memory",
    ]
    assert path.read_bytes().startswith(b"\x89PNG")


def test_page_shows_the_results_of_an_accelerator():
    page = run_all.DOCUMENT.read_text("utf-8")
    path = run_all.RESULTS / "nvidia-h100.json"
    content = json.loads(path.read_text("utf-8"))
    found = report.insert(page, run_all.section(content), "accelerator")
    assert found == page


def test_a_peer_of_the_same_dtype_comes_first(content):
    half = record("jax", 3.0, dtype="bfloat16")
    plain, same = record("hf-torch", 9.0), record("hf-torch", 6.0)
    same["dtype"] = "bfloat16"
    assert report.peer_of(half, [plain, same]) is same
    assert report.peer_of(half, [plain]) is plain
    assert report.peer_of(half, [{**same, "failed": "no"}]) is None

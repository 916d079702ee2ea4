"""The order of the measurements, and how they become one record."""

import sys
import types

import pytest
from keras import backend

from benchmarks import harness
from benchmarks import processes
from benchmarks.contenders import CONTENDERS

pytestmark = pytest.mark.skipif(
    backend.backend() != "torch", reason="no backend runs: tested once"
)


def measured(seconds, **more):
    return {
        "seconds": [seconds],
        "peak_gigabytes": seconds / 10,
        "limit_seconds": seconds / 2,
        **more,
    }


def a_benchmark(**changes):
    options = {
        "name": "encoder",
        "title": "A trial.",
        "contenders": ("jax", "torch", "hf-torch"),
        "add_arguments": lambda parser: parser.add_argument("--tokens"),
        "cases": lambda options: [
            {"tokens": 5, "dtype": "float32", "layers": 6},
            {"tokens": 9, "dtype": "float32", "layers": 6},
        ],
        "measure": lambda contender, case: measured(1.0),
    }
    return harness.Benchmark(**{**options, **changes})


@pytest.fixture
def calls(monkeypatch):
    """Replaces the processes; notes who was measured with what."""
    made = []

    def stand_in(module, contender, case):
        made.append((contender.name, case["tokens"]))
        if contender.name == "jax" and case["tokens"] == 9:
            return {"failed": "ValueError: no."}
        return measured(float(len(made)))

    monkeypatch.setattr(harness, "measure_apart", stand_in)
    return made


def test_cases_and_contenders_take_turns(calls):
    benchmark = a_benchmark(skips=lambda name, case: name == "hf-torch")
    parser = harness.make_parser(benchmark)
    options = parser.parse_args(["--rounds", "2"])
    lines = []
    records = harness.run(benchmark, options, lines.append)
    assert calls == [
        ("jax", 5),
        ("torch", 5),
        ("jax", 9),  # fails, and is not tried again
        ("torch", 9),
        ("jax", 5),
        ("torch", 5),
        ("torch", 9),
    ]
    assert [r["contender"] for r in records] == ["jax", "torch"] * 2
    assert records[0]["seconds"] == [1.0, 5.0]
    assert records[2]["failed"] == "ValueError: no."
    assert "not measured: ValueError: no." in lines[2]
    assert "median 3 s of 2 (1 to 5)" in lines[0]


def test_merge_takes_median_time_and_limit_and_largest_peak():
    merged = harness.merge([measured(1.0), measured(5.0), measured(2.0)])
    assert merged["seconds"] == [1.0, 5.0, 2.0]
    assert merged["median_seconds"] == 2.0
    assert merged["peak_gigabytes"] == 0.5
    assert merged["limits"] == [0.5, 2.5, 1.0]
    assert merged["limit_seconds"] == 1.0
    assert merged["times_limit"] == 2.0
    assert merged["processes"] == 3


def test_calls_before_the_clock_are_not_counted():
    made = []
    found, result = harness.time_calls(
        lambda: made.append(0) or len(made), warm_up=2, repeats=3
    )
    assert len(found["seconds"]) == 3
    assert result == 5


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (-9, "", "ended by signal 9; out of memory?"),
        (-11, "noise", "ended by signal 11"),
        (3, "", "exit status 3"),
        (2, "usage: x\nx: error: bad", "x: error: bad"),
        (
            1,
            "note\nTraceback (most recent call last):\n  File x\n"
            "KeyError: 'a'\n\nDuring handling of it:\n\n"
            "Traceback (most recent call last):\n  File y\n"
            "ValueError: wrong\nmore of it",
            "ValueError: wrong",
        ),
        (
            1,
            "Traceback (most recent call last):\n  File x\n"
            "E: Graph error:\n\nDetected at a node:\n  File y\nshapes differ\n",
            "E: Graph error: shapes differ",
        ),
    ],
)
def test_reason_is_the_last_error(code, text, expected):
    assert processes.reason(code, text) == expected


def test_a_process_prints_its_measurement_last(monkeypatch):
    asked = {}

    def run(command, env, **options):
        asked.update(command=command, env=env, **options)
        text = 'chatter\n{"seconds": [1.5]}\n'
        return types.SimpleNamespace(returncode=0, stdout=text, stderr="")

    monkeypatch.setattr(processes.subprocess, "run", run)
    case = {"tokens": 7}
    found = processes.measure_apart("m.n", CONTENDERS["jax"], case)
    assert found == {"seconds": [1.5]}
    assert asked["env"]["KERAS_BACKEND"] == "jax"
    assert asked["command"][0] == sys.executable
    assert asked["command"][-3:] == ["jax", "--case", '{"tokens": 7}']


def test_missing_environment_says_how_to_make_it(monkeypatch, tmp_path):
    absent = str(tmp_path / "python")
    monkeypatch.setenv("KERAS_LED_TFLED_PYTHON", absent)
    contender = CONTENDERS["hf-tensorflow"]
    found = processes.measure_apart("m.n", contender, {})
    assert absent in found["failed"]
    assert "make_tfled_environment.sh" in found["failed"]


def test_peak_memory_grows_with_what_is_held():
    before = processes.peak_gigabytes()
    held = bytearray(10**8)
    held[::4096] = b"x" * len(held[::4096])
    assert 0.05 < before
    # Other tests may have held more at once before.
    assert processes.peak_gigabytes() >= before

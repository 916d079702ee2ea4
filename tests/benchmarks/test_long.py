"""Documents of any length, on the backend at hand, beside the same table."""

import keras
import pytest

from benchmarks import harness
from benchmarks import long
from benchmarks import report

OPTIONS = ["--tokens", "300", "1200", "--repeats", "2"]


def cases(*more):
    options = harness.make_parser(long.BENCHMARK).parse_args([*OPTIONS, *more])
    return long.cases(options)


@pytest.mark.parametrize("work", long.WORK)
def test_each_work_is_timed(work):
    name = keras.backend.backend()
    case = {**cases("--work", work)[0], "warm_up": 1, "repeats": 2}
    found = long.measure(name, case)
    assert len(found["seconds"]) == 2
    assert min(found["seconds"]) > 0
    before = found["peak_gigabytes_before_calls"]
    assert 0 < before <= found["peak_gigabytes"]


def test_rows_say_how_time_grows():
    assert [case["tokens"] for case in cases()] == [300, 1200] * 3
    records = [
        {
            "benchmark": "long",
            "contender": "jax",
            **case,
            "seconds": [case["tokens"] / 100],
            "median_seconds": case["tokens"] / 100,
            "peak_gigabytes": 1.5,
            "peak_gigabytes_before_calls": 1.25,
        }
        for case in cases()
    ]
    measured = [report.row(record, records) for record in records]
    assert [row[0] for row in measured[1::2]] == [
        "encoder, 1,200 tokens",
        "training step, 1,200 tokens",
        "decoding 8 tokens, 4 beams, 1,200 tokens",
    ]
    for short, row in zip(measured[::2], measured[1::2], strict=True):
        assert short[-1] == "1.25 GB before the first call"
        assert row[-1] == f"{short[-1]}; time 4.0 x of 300 tokens"


def test_a_step_stops_where_memory_ends():
    steps = [{"work": "training", "tokens": n} for n in (2**18, 2**20)]
    assert [long.skips("jax", step) for step in steps] == [False, True]

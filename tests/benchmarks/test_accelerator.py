"""Which processes measure on an accelerator, and what becomes of them."""

import contextlib
import dataclasses
import json

import pytest
from keras import backend

from benchmarks import accelerator
from benchmarks import generation
from benchmarks import processes
from benchmarks import run_all

pytestmark = pytest.mark.skipif(
    backend.backend() != "torch", reason="no backend runs: tested once"
)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Replaces the processes; what was asked of them, in order."""
    made = []

    def stand_in(module, contender, case, limit_seconds):
        made.append((module, contender.name, case, limit_seconds))
        if contender.name == "tensorflow":
            return {"failed": "ModuleNotFoundError: no"}
        return {
            "seconds": [1.0] * case["repeats"],
            "limit_seconds": 0.5,
            "device": "a device",
        }

    @contextlib.contextmanager
    def no_weights(options):
        options.directory = tmp_path
        yield

    monkeypatch.setattr(accelerator, "measure_apart", stand_in)
    quick = dataclasses.replace(generation.BENCHMARK, prepare=no_weights)
    monkeypatch.setattr(generation, "BENCHMARK", quick)
    monkeypatch.setattr(accelerator.os, "environ", {})
    return made


def run(tmp_path, *flags):
    path = tmp_path / "gpu.json"
    accelerator.main(["--output", str(path), "--tokens", "512", *flags])
    return json.loads(path.read_text("utf-8"))["results"]


def test_a_first_round_compiles_and_does_not_count(asked, tmp_path, capsys):
    flags = ("--contenders", "jax", "torch", "--repeats", "3", "--lanes", "1")
    records = run(tmp_path, *flags)
    first = asked[:4]
    assert {name for _, name, _, _ in first} == {"jax"}
    assert {case["repeats"] for _, _, case, _ in first} == {1}
    assert len(asked) == 4 + 2 * 8
    found = [(r["benchmark"], r["contender"], r["dtype"]) for r in records]
    assert found == [
        ("encoder", "jax", "float32"),
        ("encoder", "torch", "float32"),
        ("encoder", "jax", "bfloat16"),
        ("encoder", "torch", "bfloat16"),
        ("training", "jax", "mixed_bfloat16"),
        ("training", "torch", "mixed_bfloat16"),
        ("generation", "jax", "float32"),
        ("generation", "torch", "float32"),
    ]
    assert all(len(record["seconds"]) == 6 for record in records)
    assert "directory" not in records[-1]
    assert "2.00" in capsys.readouterr().out  # times the limit


def test_what_fails_is_tried_once(asked, tmp_path):
    records = run(tmp_path, "--contenders", "tensorflow")
    assert len(asked) == 4
    assert {record["failed"] for record in records} == {
        "ModuleNotFoundError: no"
    }


def test_no_process_starts_after_the_end(asked, tmp_path):
    path = tmp_path / "gpu.json"
    options = accelerator.parse(["--output", str(path), "--seconds", "-1"])
    late = accelerator.Run(options)
    late.round([(generation, "torch", {"tokens": 512, "repeats": 1})])
    assert not asked
    assert late.content()["results"] == []


def test_what_was_measured_stays_when_time_is_up(asked, tmp_path, monkeypatch):
    path = tmp_path / "gpu.json"
    trial = accelerator.Run(accelerator.parse(["--output", str(path)]))
    case = {"tokens": 512, "repeats": 2, "dtype": "float32", "layers": 6}
    case |= {"batch": 1, "positions": 512}
    job = accelerator.encoder, "torch", case
    trial.round([job])
    monkeypatch.setattr(
        accelerator, "measure_apart", lambda *_: {"failed": "took more"}
    )
    trial.round([job])
    (record,) = trial.content()["results"]
    assert record["seconds"] == [1.0, 1.0]


def test_processes_take_turns(monkeypatch, tmp_path):
    import fcntl

    path = tmp_path / "turns"
    monkeypatch.setenv(processes.TURNS, str(path))
    with processes.turn_on_device(), open(path, "w") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with open(path, "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_nobody_waits_for_a_turn_unless_told_to(monkeypatch):
    monkeypatch.delenv(processes.TURNS, raising=False)
    with processes.turn_on_device(), processes.turn_on_device():
        pass


def test_a_process_that_takes_too_long_is_ended(monkeypatch):
    import sys

    from benchmarks.contenders import Contender

    class Slow(Contender):
        def python(self):
            return sys.executable

    found = processes.measure_apart(
        "timeit", Slow("slow", "slow", "torch"), {}, 0.01
    )
    assert found == {"failed": "took more than 0 s"}


def test_a_single_round_compiles_while_it_counts(asked, tmp_path):
    flags = ("--benchmarks", "training", "--rounds", "1", "--contenders")
    run(tmp_path, *flags, "jax")
    assert [case["repeats"] for _, _, case, _ in asked] == [10]
    records = run(tmp_path, *flags, "torch")  # adds to the file
    found = [(r["benchmark"], r["contender"]) for r in records]
    assert found == [("training", "jax"), ("training", "torch")]


def test_other_rows_of_the_file_stay(asked, tmp_path, monkeypatch):
    path = tmp_path / "gpu.json"
    kept = run_all.read_records(run_all.RESULTS / "results.json")
    other = next(x for x in kept if x["benchmark"] == "startup")
    path.write_text(json.dumps({"results": [other]}), "utf-8")
    flags = ("--benchmarks", "training", "--rounds", "1", "--contenders", "jax")
    assert run(tmp_path, *flags)[-1] == other
    monkeypatch.setattr(
        accelerator, "measure_apart", lambda *_: {"failed": "took more"}
    )
    first, _ = run(tmp_path, *flags)
    assert first["seconds"] == [1.0] * 10  # not replaced by a failure

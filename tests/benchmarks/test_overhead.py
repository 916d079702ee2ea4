"""What the table of overheads counts."""

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's steps"
)


def test_operations_and_reads_are_counted():
    import torch

    from benchmarks import overhead

    def step():
        x = torch.ones(2, 3)
        x.t().reshape(6).tolist()
        return float((x + 1).sum())

    found = overhead.count(step)
    assert found["reads"] == 2
    assert found["operations"] == 4  # ones, the copy of reshape, add, sum
    assert 0 < overhead.share_of_python(step) < 1


def test_both_steps_train(capsys):
    from benchmarks import overhead

    overhead.compare_steps(1, 1, ("float32",), warm_up=3)
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split(" | ") for line in lines if "float" in line]
    assert [row[1] for row in rows] == [
        "keras_led",
        "keras_led, recorded",
        "Hugging Face",
    ]
    ours, recorded, _ = rows
    assert int(recorded[3].replace(",", "")) < int(ours[3].replace(",", ""))

import subprocess
import sys
from pathlib import Path

import keras
import pytest


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)
def test_steps_of_two_replicas_are_those_of_one_device():
    result = subprocess.run(
        [sys.executable, "-m", "tests.training.mirrored"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = result.stdout.splitlines()
    assert len(lines) == 2  # optimizers
    for line in lines:
        devices, largest, gap, loss_gap = line.split()
        assert int(devices) == 2
        assert float(largest) > 0.01
        assert float(gap) < 1e-5
        assert float(loss_gap) < 1e-5

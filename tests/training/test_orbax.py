"""A checkpoint of Orbax goes on under another mesh, optimizer included."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="devices of JAX")
def test_weights_spread_one_way_are_loaded_another_way(tmp_path):
    flags = "--xla_force_host_platform_device_count=4"
    # Each program runs once or twice: most of the time goes into compiling.
    flags += " --xla_backend_optimization_level=0"
    flags += " --xla_llvm_disable_expensive_passes=true"
    flags += " --xla_cpu_use_fusion_emitters=false"
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.training.orbax_meshes",
            tmp_path / "state",
        ],
        cwd=ROOT,
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout.splitlines()[-1])
    saved, loaded = found["saved"], found["loaded"]
    assert found["fresh"] > 1e-2
    assert loaded["gap"] == 0
    assert saved["parts"] == 2
    assert loaded["parts"] == 4
    assert loaded["steps"] == saved["steps"] == 2
    assert loaded["moments"] == saved["moments"] > 1
    assert abs(loaded["loss"] - saved["loss"]) < 1e-5

"""Settings of the whole suite, made before any backend is imported."""

import os
import tempfile

import hypothesis
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# No test may need a network; `huggingface_hub` reads this when imported.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # What JAX has compiled once, the other tests, workers and commands of this
    # run read: half of a test's time is XLA's. Deleted when pytest ends.
    _compiled = tempfile.TemporaryDirectory(prefix="compiled-by-jax-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _compiled.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

if "PYTEST_XDIST_WORKER" in os.environ:
    # One thread a worker: pytest-xdist already starts one worker per core,
    # and each backend would otherwise start one thread per core again.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

# The same examples in every run, and no limit on wall time.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None
)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def fixed_seed():
    """Gives every test the same random numbers, whatever ran before it."""
    import keras

    keras.utils.set_random_seed(7)

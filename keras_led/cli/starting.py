"""Starts the backend of a command, once its flags are known to be right.

Keras takes seconds to import, and reads KERAS_BACKEND at that moment. So the
modules of the commands import neither it nor what stands on it; a command
calls `start_backend` first and imports what it works with afterwards.
"""

import os
import platform
import sys
import tempfile
import zlib
from contextlib import contextmanager
from contextlib import nullcontext
from contextlib import suppress
from pathlib import Path

from keras_led._missing_backend import BACKENDS
from keras_led.files.user_cache import cache_folder


def check_backend(requested):
    """Makes sure that `--backend` names a backend.

    Args:
        requested: str, or `None` where the flag is not given.

    Raises:
        ValueError: If it does not.
    """
    if requested not in (None, *BACKENDS):
        raise ValueError(
            f"`--backend` must be one of {', '.join(BACKENDS)}. "
            f"Received: --backend {requested}."
        )


def start_backend(requested, debug=False):
    """Imports Keras with the backend asked for.

    Args:
        requested: str, or `None` for the one that Keras chooses.
        debug: bool, whether notes of the backend are shown.

    Returns:
        str, name of the backend that runs.

    Raises:
        ImportError: If the backend is not installed.
        ValueError: If there is no such backend, or Keras has been loaded with
            another one.
    """
    check_backend(requested)
    loaded = "keras" in sys.modules
    if not loaded:
        if requested is not None:
            os.environ["KERAS_BACKEND"] = requested
        if not debug:
            # TensorFlow's notes about what it compiles.
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        keep_compiled_programs()
    with nullcontext() if loaded or debug else quiet_standard_error():
        from keras_led.backend import name
    if requested not in (None, name):
        raise ValueError(
            "`--backend` must be chosen before Keras is imported. "
            f"Received: --backend={requested}, while {name} runs. "
            f"Start a new process, or set KERAS_BACKEND={requested}."
        )
    return name


def keep_compiled_programs():
    """Lets JAX find the programs of earlier commands, in the user's cache.

    They take half of a first summary's time. JAX's own variables change that:
    JAX_ENABLE_COMPILATION_CACHE=false keeps nothing.
    """
    # Programs are for one kind of processor.
    kind = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        kind = next((x for x in lines if x.startswith("flags")), kind)
    folder = cache_folder() / f"jax-{zlib.crc32(kind.encode()):08x}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that is read-only
        return
    defaults = {
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_COMPILATION_CACHE_MAX_SIZE": str(2**30),  # bytes, then the oldest
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


@contextmanager
def quiet_standard_error():
    """Holds back what is written to file descriptor 2, unless it fails.

    TensorFlow 2.21 prints notes from C++ while it is imported, and no
    environment variable stops them. On an exception the text is let out.
    """
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(original, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)

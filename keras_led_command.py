"""Starts the `keras-led` command before Keras chooses its backend.

Importing any part of `keras_led` imports Keras, and Keras reads KERAS_BACKEND
at that moment. So this module stands beside the package, imports nothing but
the standard library, and first carries `--backend` into the environment.
"""

import os
import sys
import tempfile
from contextlib import contextmanager
from contextlib import nullcontext


def backend_argument(arguments):
    """Finds the last value of `--backend` in a command line; or None."""
    found = None
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--backend" and position + 1 < len(arguments):
            found = arguments[position + 1]
        elif argument.startswith("--backend="):
            found = argument.partition("=")[2]
    return found


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


def prepare(environment, arguments):
    """Sets the variables that count while libraries are imported.

    Args:
        environment: dict of str, such as `os.environ`; changed.
        arguments: list of str, the command line.
    """
    backend = backend_argument(arguments)
    if backend is not None:
        environment["KERAS_BACKEND"] = backend
    if "--debug" not in arguments:
        # TensorFlow's notes about what it compiles.
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def main():
    """Runs `keras-led` with the arguments of the process."""
    prepare(os.environ, sys.argv[1:])
    debug = "--debug" in sys.argv
    try:
        with nullcontext() if debug else quiet_standard_error():
            from keras_led.cli import app
    except (ImportError, ValueError) as error:
        # An unknown backend, or one that is not installed.
        if debug:
            raise
        text = " ".join(str(error).split())
        sys.exit(f"keras-led: {type(error).__name__}: {text}")
    app()


if __name__ == "__main__":
    main()

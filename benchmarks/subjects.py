"""Builds the model of each contender and the calls that are timed."""

import dataclasses
import importlib
from collections.abc import Callable

from benchmarks.contenders import CONTENDERS
from benchmarks.contenders import PEER


@dataclasses.dataclass(frozen=True)
class Subject:
    """What one process measures.

    Args:
        call: callable without arguments; it waits for its result.
        versions: dict of library name to version, str.
        error: callable without arguments that returns a dict of how far the
            result is from float32's, or `None`.
    """

    call: Callable
    versions: dict
    error: Callable | None = None


def module_for(contender):
    """The module of this package that builds a contender's models.

    Args:
        contender: str, its name.

    Returns:
        Module with functions `encoder`, `generation` and `training`, as far
        as the contender takes part.
    """
    if contender in (PEER, "hf-compile"):
        name = "huggingface_torch"
    elif contender == "hf-tensorflow":
        name = "huggingface_tensorflow"
    elif contender.startswith("kerashub"):
        name = "kerashub"
    else:
        name = "ours"
    return importlib.import_module(f"benchmarks.{name}")


def library_of(contender):
    """Name of the framework that computes for a contender, by its name."""
    return CONTENDERS[contender].library


def distance(found, expected):
    """How far hidden states are from those of float32.

    Args:
        found: float array.
        expected: float array of the same shape.

    Returns:
        Dict: "relative_error", the root mean square of the difference over
        that of `expected`; "largest_error", the largest difference.
    """
    import numpy as np

    found, expected = (np.asarray(x, "float64") for x in (found, expected))
    difference = found - expected
    scale = float(np.sqrt(np.mean(expected**2)))
    return {
        "relative_error": float(np.sqrt(np.mean(difference**2))) / scale,
        "largest_error": float(np.max(np.abs(difference))),
    }

"""Which graphs of TensorFlow are for whom.

Nothing but the runtime at hand takes a private graph, so that it may be written
for it, and nothing but XLA one that it compiles here. Any other graph may be
saved, trained or compiled by whoever holds it: it is made of plain operations,
which any runtime takes, with XLA or without.
"""

import contextlib
import contextvars
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

_PRIVATE, _XLA, _NO_GRADIENT = "private", "xla", "no gradient"
_kind = contextvars.ContextVar("kind", default=None)


def private_graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, whose graph this process alone will run, without XLA."""
    return _graph_of_kind(_PRIVATE, function)


def xla_graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, whose graph XLA will compile."""
    return _graph_of_kind(_XLA, function)


def _graph_of_kind(kind, function):
    def run(*args):
        with _set(kind):
            return function(*args)

    return run


@contextlib.contextmanager
def _set(kind):
    token = _kind.set(kind)
    try:
        yield
    finally:
        _kind.reset(token)


@contextlib.contextmanager
def without_gradients() -> Iterator[None]:
    """Says of the graph made within that nobody takes a gradient of it."""
    with _set(_kind.get() or _NO_GRADIENT):
        yield


def takes_gradients() -> bool:
    """Whether somebody may take a gradient of the graph that is being made."""
    return _kind.get() is None


def in_private_graph() -> bool:
    """Whether a graph for this process is being made."""
    return _kind.get() == _PRIVATE


def in_xla_graph() -> bool:
    """Whether a graph for XLA is being made."""
    return _kind.get() == _XLA


def runs_here() -> bool:
    """Whether this process runs what is called now, without XLA."""
    return in_private_graph() or tf.executing_eagerly()

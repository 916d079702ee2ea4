"""Which graphs of TensorFlow are for the process that makes them.

Nothing but the runtime at hand takes them, so that they may be written for it.
Graphs that are saved, trained or compiled by XLA are plain: any runtime takes
them.
"""

import contextvars

import tensorflow as tf

_is_private = contextvars.ContextVar("is_private", default=False)


def private_graph(function):
    """`function`, whose graph this process alone will run, without XLA."""

    def run(*args):
        token = _is_private.set(True)
        try:
            return function(*args)
        finally:
            _is_private.reset(token)

    return run


def in_private_graph():
    """Whether such a graph is being made."""
    return _is_private.get()


def shapes_may_vary():
    """Whether the steps of a loop may work on tensors of different shapes.

    XLA compiles a loop for one shape.
    """
    return _is_private.get() or tf.executing_eagerly()

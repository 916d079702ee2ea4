"""Graphs of TensorFlow, compiled by XLA where a model asks for it."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_led.backend.tensorflow import private_graph as graphs
from keras_led.backend.tensorflow.private_graph import private_graph
from keras_led.backend.tensorflow.private_graph import xla_graph

without_gradients = graphs.without_gradients


def jit(
    function: Callable[..., Any],
    model: Any,
    large_products: bool = False,
    recordable: bool = False,
) -> Callable[..., Any]:
    del large_products, recordable
    # A graph refers to variables by handle: the model is not asked for them.
    by_xla = getattr(model, "compile_with_xla", None)
    function = xla_graph(function) if by_xla else private_graph(function)
    # Control flow is written with `keras.ops`: rewriting Python into graph
    # code would only double the time to trace (2.1 s against 1.0 s for beam
    # search with a tiny model).
    return tf.function(function, autograph=False, jit_compile=by_xla)


def train_step(model: Any) -> Callable[..., Any] | None:
    return None

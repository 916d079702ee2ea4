"""Layer normalization in one kernel, against the formula in NumPy."""

import platform

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.layers.initializers import layer_norm
from tests.gradients import compiled
from tests.gradients import gradients

DIM = 768
ROWS = 200  # enough for TensorFlow to use its kernel
EPSILON = 1e-5


def make(dtype="float32"):
    """A layer with weights, and they."""
    layer = layer_norm("norm", dtype)
    layer.build((None, None, DIM))
    random = np.random.default_rng(0)
    weights = [random.standard_normal(DIM).astype("float32") for _ in "gb"]
    layer.set_weights(weights)
    return layer, *weights


def draw(*shape):
    # Small, so that the epsilon counts.
    x = np.random.default_rng(1).standard_normal(shape)
    return (5e-3 * x + 1e-2).astype("float32")


def formula(x, gamma, beta):
    x = x.astype("float64")
    centered = x - x.mean(axis=-1, keepdims=True)
    variance = (centered**2).mean(axis=-1, keepdims=True)
    return centered / np.sqrt(variance + EPSILON) * gamma + beta


@pytest.mark.parametrize("shape", [(1, ROWS), (2, ROWS // 2), (ROWS,), (3, 1)])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float32", 2e-5), ("bfloat16", 6e-2), ("float16", 1e-2)],
)
@pytest.mark.parametrize("is_compiled", [False, True])
def test_is_the_formula(shape, dtype, tolerance, is_compiled):
    layer, gamma, beta = make(dtype)
    x = ops.cast(ops.convert_to_tensor(draw(*shape, DIM)), dtype)
    expected = formula(
        ops.convert_to_numpy(ops.cast(x, "float32")), gamma, beta
    )
    found = (compiled(layer) if is_compiled else layer)(x)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    assert tuple(found.shape) == (*shape, DIM)
    found = ops.convert_to_numpy(ops.cast(found, "float32"))
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=tolerance)


def test_has_the_gradients_of_the_operations_of_keras():
    layer, gamma, beta = make()
    toward = np.random.default_rng(2).standard_normal((2, 5, DIM))
    toward = ops.convert_to_tensor(toward, "float32")

    def ours(x, gamma, beta):
        return ops.sum(toward * backend.layer_norm(x, gamma, beta, EPSILON))

    def plain(x, gamma, beta):
        normalized = ops.layer_normalization(x, gamma, beta, -1, EPSILON)
        return ops.sum(toward * normalized)

    arrays = 100 * draw(2, 5, DIM), gamma, beta
    for found, expected in zip(
        gradients(ours, *arrays), gradients(plain, *arrays), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="its graphs alone"
)


@tensorflow_only
def test_only_graphs_for_this_machine_are_written_for_its_kernel():
    import tensorflow as tf

    layer, *_ = make()
    x = tf.constant(draw(1, ROWS, DIM))

    def operations(function):
        graph = function.get_concrete_function(x).graph
        return {operation.type for operation in graph.get_operations()}

    assert "FusedBatchNormV3" in operations(compiled(layer))
    assert "FusedBatchNormV3" not in operations(tf.function(layer))


@tensorflow_only
@pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the kernel is for these processors"
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_optimizer_puts_the_kernel_in(dtype):
    import tensorflow as tf
    from tensorflow.python.eager import context
    from tensorflow.python.util import _pywrap_util_port

    if not _pywrap_util_port.IsMklEnabled():
        pytest.skip("TensorFlow uses oneDNN on processors with AVX-512 only")
    layer, *_ = make(dtype)
    x = tf.cast(draw(1, ROWS, DIM), dtype)
    function = compiled(layer)
    context.enable_run_metadata()
    try:
        function(x)
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    optimized = [graph.post_optimization_graph for graph in graphs]
    operations = {node.op for graph in optimized for node in graph.node}
    assert "_MklLayerNorm" in operations

"""Writing into a tensor, by whatever the graph at hand may hold."""

import numpy as np
import pytest
from keras import ops

from keras_led import backend

SHAPE, AXIS = (2, 3, 7, 5), 2


def tensors(size):
    rng = np.random.default_rng(size)
    x = rng.normal(size=SHAPE).astype("float32")
    updates = rng.normal(size=(2, 3, size, 5)).astype("float32")
    return x, updates


def expected(x, index, updates):
    x = x.copy()
    x[:, :, index : index + updates.shape[AXIS]] = updates
    return x


def write(x, index, updates):
    return backend.write_slice(x, index, updates, AXIS)


@pytest.mark.parametrize(("index", "size"), [(0, 1), (6, 1), (2, 4), (0, 7)])
def test_a_slice_is_written_for_a_new_tensor(index, size):
    x, updates = tensors(size)
    given = ops.convert_to_tensor(x)
    for at in (index, ops.convert_to_tensor(index, "int32")):
        found = write(given, at, ops.convert_to_tensor(updates))
        np.testing.assert_array_equal(
            ops.convert_to_numpy(found), expected(x, index, updates)
        )
        np.testing.assert_array_equal(ops.convert_to_numpy(given), x)


@pytest.mark.skipif(
    backend.name != "tensorflow", reason="of the kinds of TensorFlow's graphs"
)
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize(
    ("kind", "by_xla", "operation"),
    [
        (None, False, "SelectV2"),
        (None, True, "SelectV2"),
        ("private_graph", False, "TensorStridedSliceUpdate"),
        ("xla_graph", True, "XlaDynamicUpdateSlice"),
    ],
)
def test_each_graph_has_its_own_operation(kind, by_xla, operation, size):
    import tensorflow as tf

    from keras_led.backend.tensorflow import private_graph

    made = getattr(private_graph, kind)(write) if kind else write
    x, updates = tensors(size)
    graph = tf.function(
        made,
        input_signature=[
            tf.TensorSpec([None, 3, 7, 5]),
            tf.TensorSpec([], "int32"),
            # `None`: also where the size is not known.
            tf.TensorSpec([None, 3, None if by_xla is False else size, 5]),
        ],
        autograph=False,
        jit_compile=by_xla,
    )
    for index in (0, 2, 7 - size):
        found = graph(x, index, updates)
        np.testing.assert_array_equal(found, expected(x, index, updates))
    nodes = graph.get_concrete_function().graph.as_graph_def().node
    written = {"SelectV2", "TensorStridedSliceUpdate", "XlaDynamicUpdateSlice"}
    assert written & {node.op for node in nodes} == {operation}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_best_index_is_the_first_of_equal_ones(dtype):
    scores = ops.cast([[1.0, 3.0, 3.0], [-2.0, -3.0, -9.0]], dtype)
    found = backend.argmax(scores)
    assert ops.convert_to_numpy(found).tolist() == [1, 0]
    assert "int32" in str(found.dtype)

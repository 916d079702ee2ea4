"""Sizes of tensors, known and unknown, beside those of NumPy."""

import keras
import numpy as np
import pytest

from keras_led import backend


def test_known_sizes_are_numbers():
    x = keras.ops.zeros((2, 3, 5))
    assert tuple(backend.shape(x)) == (2, 3, 5)
    assert backend.shape(keras.KerasTensor((None, 4))) == (None, 4)


@pytest.mark.skipif(
    backend.name != "tensorflow", reason="only TensorFlow traces unknown sizes"
)
@pytest.mark.parametrize("compiled", [False, True])
def test_unknown_sizes_are_read_by_two_operations(compiled):
    import tensorflow as tf

    @tf.function(
        input_signature=[tf.TensorSpec([None, 4, None])], jit_compile=compiled
    )
    def double(x):
        batch, known, length = backend.shape(x)
        assert known == 4
        return tf.reshape(x, (batch * length, known)) * 2

    x = np.arange(24, dtype="float32").reshape(2, 4, 3)
    np.testing.assert_array_equal(double(x), x.reshape(6, 4) * 2)
    graph = double.get_concrete_function().graph
    kinds = [operation.type for operation in graph.get_operations()]
    assert kinds.count("Shape") == kinds.count("Unpack") == 1
    assert "StridedSlice" not in kinds

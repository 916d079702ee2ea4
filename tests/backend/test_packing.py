"""Matrices in chunks of columns give the products of whole ones."""

import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.backend import packing


@pytest.fixture(autouse=True)
def chunks_of_four(monkeypatch):
    """On all backends, whether they gain by it or not."""
    monkeypatch.setattr(backend, "columns_of_chunk", lambda: 4)


def draw(*shape):
    random = np.random.default_rng(sum(shape))
    return random.standard_normal(shape).astype("float32")


@pytest.mark.parametrize("columns", [1, 4, 8, 11])
@pytest.mark.parametrize("outer", [(), (2, 3)])
def test_packed_product_is_the_whole_product(outer, columns):
    x, matrix = draw(*outer, 3, 5), draw(*outer, 5, columns)
    by_columns = packing.pack_columns(ops.convert_to_tensor(matrix))
    rows = np.ascontiguousarray(np.swapaxes(matrix, -1, -2))
    by_rows = packing.pack_rows(ops.convert_to_tensor(rows))
    assert tuple(by_rows.shape) == (*outer, -(-columns // 4), 5, 4)
    for packed in (by_columns, by_rows):
        found = packing.packed_product(
            ops.convert_to_tensor(x), packed, columns
        )
        np.testing.assert_allclose(
            ops.convert_to_numpy(found), x @ matrix, atol=1e-5
        )
    back = ops.convert_to_numpy(packing.unpack_rows(by_rows, columns))
    np.testing.assert_array_equal(back, rows)


@pytest.mark.skipif(
    backend.name != "tensorflow", reason="lengths are known elsewhere"
)
def test_packs_a_length_that_is_known_when_it_runs():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, 5))])
    def product(rows):
        packed = packing.pack_rows(rows)
        return packing.packed_product(x, packed, tf.shape(rows)[0])

    x = draw(3, 5)
    for length in (4, 7):
        rows = draw(length, 5)
        np.testing.assert_allclose(product(rows), x @ rows.T, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 5, 2, 3), (300, 2, 200)])
def test_transpose_small_and_large(shape):
    x = draw(*shape)
    axes = (1, 0, *range(2, len(shape)))
    found = backend.transpose(ops.convert_to_tensor(x), axes)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), x.transpose(axes)
    )

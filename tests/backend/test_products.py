"""Products with matrices of weights: few rows, as in decoding, and many."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend

INNER, OUTER = 24, 9


def draw(*shape):
    random = np.random.default_rng(sum(shape))
    return random.standard_normal(shape).astype("float32")


def without_gradients(function, *arrays):
    """Calls as generation does, where parts of products may be taken."""
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    if keras.backend.backend() != "torch":
        return ops.convert_to_numpy(function(*tensors))
    import torch

    with torch.no_grad():
        return ops.convert_to_numpy(function(*tensors))


@pytest.mark.parametrize("shape", [(3, 1), (2, 4), (1, 30), (5,)])
@pytest.mark.parametrize("inner", [INNER, INNER + 1])
@pytest.mark.parametrize("with_bias", [True, False])
def test_linear_is_the_plain_formula(shape, inner, with_bias):
    x, kernel, bias = draw(*shape, inner), draw(inner, OUTER), draw(OUTER)

    def linear(x, kernel, bias):
        return backend.linear(x, kernel, bias if with_bias else None)

    expected = x @ kernel + (bias if with_bias else 0.0)
    for found in (
        without_gradients(linear, x, kernel, bias),
        ops.convert_to_numpy(
            linear(*map(ops.convert_to_tensor, (x, kernel, bias)))
        ),
    ):
        assert found.shape == (*shape, OUTER)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 1), (1, 70)])
@pytest.mark.parametrize("rows", [7, 4096, 5000])
def test_table_product_compares_with_each_row(shape, rows):
    x, table = draw(*shape, 4), draw(rows, 4)
    found = without_gradients(backend.table_product, x, table)
    assert found.shape == (*shape, rows)
    np.testing.assert_allclose(found, x @ table.T, atol=1e-5)


def test_contiguous_keeps_the_values_of_a_view():
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    view = ops.transpose(ops.convert_to_tensor(x), (1, 0, 2))
    laid_out = backend.contiguous(view)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(laid_out), x.transpose(1, 0, 2)
    )
    if backend.name == "torch":
        assert not view.is_contiguous()
        assert laid_out.is_contiguous()


def test_rows_are_mapped_in_pieces_to_the_same():
    x, kernel = draw(5001, 3), draw(3, 2)
    found = without_gradients(
        lambda x, kernel: backend.map_rows(lambda rows: rows @ kernel, x),
        x,
        kernel,
    )
    np.testing.assert_allclose(found, x @ kernel, atol=1e-5)

"""The loops of a backend, against NumPy."""

import numpy as np
import pytest
from keras import ops

from keras_led import backend


@pytest.mark.skipif(
    backend.replace_slices is None, reason="no slices are replaced in place"
)
@pytest.mark.parametrize(
    "size", [(2, 3, 4), (2, 1, 4), (2, 3, 2), (1, 1, 1), (2, 2, 4)]
)
def test_slices_are_replaced_by_a_function_of_them(size):
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    tensor = ops.convert_to_tensor(x)

    def function(part, start):
        assert tuple(part.shape) == size
        offset = sum(10.0**n * s for n, s in enumerate(start, start=2))
        return -part - offset

    found = ops.convert_to_numpy(backend.replace_slices(function, tensor, size))
    expected = x.copy()
    for place in np.ndindex(
        *(a // b for a, b in zip(x.shape, size, strict=True))
    ):
        start = tuple(np.multiply(place, size))
        part = tuple(slice(s, s + n) for s, n in zip(start, size, strict=True))
        expected[part] = function(x[part], start)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(tensor), x)


@pytest.mark.skipif(
    backend.replace_slices is None, reason="no slices are replaced in place"
)
def test_of_nothing_no_slice_is_replaced():
    x = ops.zeros((0, 3, 4))
    found = backend.replace_slices(lambda part, _: 1 / 0, x, (0, 1, 4))
    assert tuple(found.shape) == (0, 3, 4)

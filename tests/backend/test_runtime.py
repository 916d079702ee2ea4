import numpy as np
import pytest
from keras import ops

from keras_led import backend


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 5, 2, 3), (300, 2, 200)])
def test_transpose_small_and_large(shape):
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    axes = (1, 0, *range(2, len(shape)))
    found = backend.transpose(ops.convert_to_tensor(x), axes)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), x.transpose(axes)
    )

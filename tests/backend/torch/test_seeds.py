"""Seeds of PyTorch, numbers of Python's, against those of tensors."""

import keras
import numpy as np
import pytest

from keras_led import backend

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch's seeds"
)


def test_a_seed_is_what_its_tensor_is():
    drawn = backend.draw_seed(keras.random.SeedGenerator(3))
    state = keras.ops.convert_to_numpy(keras.random.SeedGenerator(3).next())
    assert [drawn.first, drawn.second] == state.tolist()
    tensor = keras.ops.convert_to_tensor(state)
    for data in (0, keras.ops.convert_to_tensor(7)):
        one = backend.fold_in(drawn, data)
        other = backend.fold_in(tensor, data)
        assert one.path == other.path == (int(data),)
        np.testing.assert_array_equal(
            backend.uniform(one, (2, 3)), backend.uniform(other, (2, 3))
        )


def test_a_generator_moves_on():
    generator = keras.random.SeedGenerator(3)
    first, second = (backend.draw_seed(generator) for _ in range(2))
    assert first != second
    found = [backend.keep_at_random(x, (40, 50), 0.3) for x in (first, second)]
    assert all(0.6 < float(x.float().mean()) < 0.8 for x in found)
    assert (found[0] != found[1]).any()

import numpy as np
from keras import ops

from keras_led.attention.global_rows import low_rank_global_rows
from keras_led.attention.global_rows import low_rank_is_cheaper
from keras_led.attention.global_rows import projected_global_rows
from tests.attention import reference

BATCH, LENGTH, HEADS, SLOTS, DIM = 3, 8, 2, 4, 10


def test_both_ways_equal_dense_attention():
    random = np.random.default_rng(1)

    def draw(*shape):
        return random.standard_normal(shape).astype("float32")

    x, query = draw(BATCH, LENGTH, DIM), draw(BATCH, HEADS, SLOTS, DIM // HEADS)
    key_weights = 0.5 * draw(DIM, DIM), draw(DIM)
    value_weights = 0.5 * draw(DIM, DIM), draw(DIM)
    padding = np.ones((BATCH, LENGTH), bool)
    padding[1, 5:] = False
    padding[2, :3] = False
    key, value = (
        reference.split(x @ kernel + bias, HEADS)
        for kernel, bias in (key_weights, value_weights)
    )
    pairs = np.broadcast_to(padding[:, None, :], (BATCH, SLOTS, LENGTH))
    expected, expected_weights = reference.attend(query, key, value, pairs)

    context, weights = low_rank_global_rows(
        ops.convert_to_tensor(query), x, key_weights, value_weights, padding
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(context), expected, atol=2e-5
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(weights), expected_weights, atol=1e-5
    )
    context, weights = projected_global_rows(
        query, key, value, padding, return_weights=True
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(context), expected, atol=2e-5
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(weights), expected_weights, atol=1e-5
    )


def test_the_cheaper_way_follows_from_the_sizes():
    assert low_rank_is_cheaper(1, 12, 768, 4096)
    assert low_rank_is_cheaper(63, 12, 768, None)
    assert not low_rank_is_cheaper(64, 12, 768, None)
    assert low_rank_is_cheaper(53, 12, 768, 4096)
    assert not low_rank_is_cheaper(54, 12, 768, 4096)
    assert not low_rank_is_cheaper(32, 12, 768, 768)
    assert not low_rank_is_cheaper(None, 12, 768, 4096)

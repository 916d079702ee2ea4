"""Keys in chunks give the scores of whole ones."""

import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.attention.cross_keys import FEW_QUERIES
from keras_led.attention.cross_keys import Keys
from keras_led.attention.cross_keys import PackedKeys
from keras_led.attention.cross_keys import as_keys
from keras_led.attention.cross_keys import cross_keys

BATCH, HEADS, HEAD_DIM = 2, 3, 5


@pytest.fixture(autouse=True)
def chunks_of_four(monkeypatch):
    """On all backends, whether they gain by it or not."""
    monkeypatch.setattr(backend, "packed_chunk_columns", lambda: 4)


def draw(length):
    random = np.random.default_rng(length)
    shape = (BATCH, HEADS, length, HEAD_DIM)
    return random.standard_normal(shape).astype("float32")


@pytest.mark.parametrize("queries", [1, FEW_QUERIES, FEW_QUERIES + 1])
@pytest.mark.parametrize("num_keys", [1, 4, 8, 11])
def test_packed_keys_are_the_whole_ones(num_keys, queries):
    query, key = draw(queries), draw(num_keys)
    packed = cross_keys(ops.convert_to_tensor(key), 1)
    assert tuple(packed.chunks.shape) == (2, 3, -(-num_keys // 4), 5, 4)
    scores = packed.scores(ops.convert_to_tensor(query), num_keys)
    np.testing.assert_allclose(
        ops.convert_to_numpy(scores), query @ key.swapaxes(2, 3), atol=1e-5
    )
    whole = ops.convert_to_numpy(packed.whole(num_keys))
    np.testing.assert_array_equal(whole, key)


def test_keys_stay_whole_for_many_queries(monkeypatch):
    key = ops.convert_to_tensor(draw(6))
    assert isinstance(cross_keys(key, FEW_QUERIES), PackedKeys)
    assert isinstance(cross_keys(key, FEW_QUERIES + 1), Keys)
    monkeypatch.setattr(backend, "packed_chunk_columns", lambda: None)
    keys = cross_keys(key, 1)
    assert isinstance(keys, Keys) and as_keys(keys) is keys
    assert as_keys(key).tensor is key


@pytest.mark.skipif(
    backend.name != "tensorflow", reason="lengths are known elsewhere"
)
def test_packs_a_length_that_is_known_when_it_runs():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 1, None, HEAD_DIM))])
    def product(key):
        return cross_keys(key, 1).scores(query, tf.shape(key)[2])

    query = draw(3)[:1, :1]
    for length in (4, 7):
        key = draw(length)[:1, :1]
        expected = query @ key.swapaxes(2, 3)
        np.testing.assert_allclose(product(key), expected, atol=1e-5)

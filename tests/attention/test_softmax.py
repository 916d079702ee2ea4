import numpy as np
from keras import ops
from keras.backend import standardize_dtype

from keras_led.attention.softmax import masked_softmax


def test_masked_keys_get_nothing_and_the_rest_sums_to_one():
    scores = np.array([[1.0, 2.0, 3.0], [5.0, -4.0, 0.0]], "float32")
    mask = np.array([[True, False, True], [True, True, True]])
    weights = ops.convert_to_numpy(masked_softmax(scores, mask))
    part = 1 / (1 + np.exp(2.0))
    np.testing.assert_allclose(weights[0], [part, 0, 1 - part], atol=1e-7)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, atol=1e-6)


def test_a_row_without_any_key_is_uniform():
    scores = np.array([[3.0, -8.0, 0.0, 1.0]], "float32")
    weights = masked_softmax(scores, np.zeros((1, 4), bool))
    np.testing.assert_allclose(ops.convert_to_numpy(weights), 0.25, atol=1e-7)


def test_one_key_has_all_the_weight_without_a_warning():
    weights = masked_softmax(np.array([[[-7.0]]], "float32"), None)
    np.testing.assert_array_equal(ops.convert_to_numpy(weights), 1.0)


def test_float16_scores_are_normalized_in_float32():
    scores = np.zeros((1, 20_000), "float16")
    weights = masked_softmax(ops.convert_to_tensor(scores), None)
    assert standardize_dtype(weights.dtype) == "float32"
    np.testing.assert_allclose(
        ops.convert_to_numpy(weights).sum(), 1.0, atol=1e-5
    )

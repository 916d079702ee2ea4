import importlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.attention import dense
from keras_led.attention.cross_keys import FEW_QUERIES
from keras_led.attention.cross_keys import cross_keys
from tests.attention import reference
from tests.gradients import gradients

BATCH, HEADS, QUERIES, KEYS, HEAD_DIM = 2, 3, 7, 5, 4


def draw(seed):
    random = np.random.default_rng(seed)
    shapes = [(QUERIES, HEAD_DIM), (KEYS, HEAD_DIM), (KEYS, HEAD_DIM)]
    return [
        random.standard_normal((BATCH, HEADS, *shape)).astype("float32")
        for shape in shapes
    ]


def masks(kind):
    random = np.random.default_rng(9)
    if kind == "none":
        return None
    if kind == "keys":
        mask = random.random((BATCH, 1, 1, KEYS)) < 0.6
    elif kind == "pairs":
        mask = random.random((BATCH, 1, QUERIES, KEYS)) < 0.6
    else:  # one mask for the whole batch
        mask = random.random((1, 1, QUERIES, KEYS)) < 0.6
    mask[..., 0] = True
    return mask


@pytest.mark.parametrize("kind", ["none", "keys", "pairs", "shared"])
@pytest.mark.parametrize("max_scores", [2**21, 2 * KEYS])
def test_equals_the_reference_in_one_piece_and_in_blocks(
    kind, max_scores, monkeypatch
):
    monkeypatch.setattr(dense, "MAX_SCORES_PER_HEAD", max_scores)
    monkeypatch.setattr(dense, "FEW_QUERIES", 1)
    query, key, value = draw(1)
    mask = masks(kind)
    pairs = np.ones((BATCH, QUERIES, KEYS), bool)
    if mask is not None:
        pairs = np.broadcast_to(mask[:, 0], pairs.shape)
    expected, expected_weights = reference.attend(query, key, value, pairs)
    if mask is not None:
        mask = ops.convert_to_tensor(mask)
    tensors = [ops.convert_to_tensor(x) for x in (query, key, value)]
    context, weights = dense.dot_product_attention(*tensors, mask)
    assert weights is None
    np.testing.assert_allclose(
        ops.convert_to_numpy(context), expected, atol=1e-5
    )
    context, weights = dense.dot_product_attention(
        *tensors, mask, return_weights=True
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(weights), expected_weights, atol=1e-6
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(context), expected, atol=1e-5
    )


@pytest.mark.skipif(backend.name != "torch", reason="all heads at once")
@pytest.mark.parametrize("kept", [1, 2 * 4 * BATCH * HEAD_DIM * KEYS])
def test_some_heads_at_a_time_have_the_gradients_of_all(kept, monkeypatch):
    arrays, mask = draw(2), ops.convert_to_tensor(masks("pairs"))

    def total(*tensors):
        context, _ = dense.dot_product_attention(*tensors, mask)
        return ops.sum(context**3)

    monkeypatch.setattr(dense, "FEW_QUERIES", 1)
    monkeypatch.setattr(dense, "MAX_SCORES_PER_HEAD", 2 * KEYS)
    expected = gradients(total, *arrays)
    attend, seen = dense._attend, []

    def counting(query, *others):
        seen.append(query.shape[1])
        return attend(query, *others)

    monkeypatch.setattr(dense, "_attend", counting)
    module = importlib.import_module("keras_led.backend.torch.loops")
    monkeypatch.setattr(module.workspace, "LARGEST_KEPT", kept)
    found = gradients(total, *arrays)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert max(seen) < HEADS


@pytest.mark.parametrize(
    ("queries", "blocks"), [(QUERIES, [QUERIES]), (19, [16, 16])]
)
def test_few_queries_read_the_keys_once(queries, blocks, monkeypatch):
    monkeypatch.setattr(dense, "MAX_SCORES_PER_HEAD", 2 * KEYS)
    attend, seen = dense._attend, []

    def counting(query, *others):
        seen.append(query.shape[2])
        return attend(query, *others)

    monkeypatch.setattr(dense, "_attend", counting)
    operands, mask = (
        map(ops.convert_to_tensor, gradient_operands(queries)[0]),
        None,
    )
    dense.dot_product_attention(*operands, mask)
    # A loop is traced once on JAX.
    assert seen == (blocks[:1] if backend.name == "jax" else blocks)


@pytest.mark.parametrize("queries", [1, QUERIES, FEW_QUERIES + 1])
@pytest.mark.parametrize("return_weights", [True, False])
def test_packed_keys_give_the_same(queries, return_weights, monkeypatch):
    monkeypatch.setattr(backend, "packed_chunk_columns", lambda: 4)
    operands, mask = gradient_operands(queries)
    query, key, value = map(ops.convert_to_tensor, operands)
    mask = ops.convert_to_tensor(mask)
    whole, packed = (
        dense.dot_product_attention(
            query, keys, value, mask, return_weights=return_weights
        )
        for keys in (key, cross_keys(key, 1))
    )
    for found, expected in zip(packed, whole, strict=True):
        if expected is None:
            assert found is None and not return_weights
            continue
        np.testing.assert_allclose(
            ops.convert_to_numpy(found),
            ops.convert_to_numpy(expected),
            atol=1e-6,
        )


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="only TensorFlow traces a graph before it knows the lengths",
)
@pytest.mark.parametrize("mask_kind", ["none", "keys", "pairs"])
def test_lengths_that_are_known_only_at_run_time(mask_kind, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(dense, "MAX_SCORES_PER_HEAD", 2 * KEYS)
    monkeypatch.setattr(dense, "FEW_QUERIES", 1)
    query, key, value = draw(1)
    mask = masks(mask_kind)
    pairs = np.ones((BATCH, QUERIES, KEYS), bool)
    if mask is not None:
        pairs = np.broadcast_to(mask[:, 0], pairs.shape)
    expected, _ = reference.attend(query, key, value, pairs)
    unknown = tf.TensorSpec([None, HEADS, None, HEAD_DIM])
    signature = [unknown] * 3
    arguments = [query, key, value]
    if mask is not None:
        rows = None if mask.shape[2] > 1 else 1
        signature.append(tf.TensorSpec([None, 1, rows, None], tf.bool))
        arguments.append(mask)

    @tf.function(input_signature=signature)
    def attend(*tensors):
        return dense.dot_product_attention(*tensors)[0]

    np.testing.assert_allclose(attend(*arguments), expected, atol=1e-5)


def gradient_operands(queries):
    """Operands as `draw` makes them, with so many queries, and a mask."""
    random = np.random.default_rng(4)
    lengths = (queries, KEYS, KEYS)
    operands = [
        random.standard_normal((BATCH, HEADS, length, HEAD_DIM)).astype(
            "float32"
        )
        for length in lengths
    ]
    mask = random.random((BATCH, 1, queries, KEYS)) < 0.6
    mask[1, :, queries // 2] = False  # a query that may see nothing
    return operands, mask


@pytest.mark.parametrize("kind", ["none", "keys", "pairs", "shared"])
@pytest.mark.parametrize(
    ("rate", "max_scores"), [(0.0, 2**21), (0.0, 4 * KEYS), (0.3, 2**21)]
)
def test_gradients_are_those_of_the_plain_formula(
    kind, rate, max_scores, monkeypatch
):
    monkeypatch.setattr(dense, "MAX_SCORES_PER_HEAD", max_scores)
    operands, mask = gradient_operands(FEW_QUERIES + 3)
    mask = {
        "none": None,
        "keys": mask[:, :, 3:4],
        "pairs": mask,
        "shared": mask[:1],
    }[kind]
    mask = None if mask is None else ops.convert_to_tensor(mask)
    seed = None
    if rate:
        seed = ops.convert_to_tensor(np.array([3, 5], "uint32"))

    def total(plain):
        def run(*tensors):
            context, _ = dense.dot_product_attention(
                *tensors, mask, rate, seed, return_weights=plain
            )
            return ops.sum(context * context)

        return gradients(run, *operands)

    for ours, plain in zip(total(False), total(True), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=2e-5)
        assert np.abs(plain).max() > 0.1

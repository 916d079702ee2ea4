"""The backend's products for windowed attention, against NumPy."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend
from tests.gradients import compiled

BATCH, HEADS, LENGTH, DIM, SIZE = 2, 3, 11, 4, 5
POSITIONS = [[7, 1], [0, 9]]  # of the keys that come first
SLOTS = 2

pytestmark = pytest.mark.usefixtures("library")


def draw(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def numbers(x):
    return ops.convert_to_numpy(ops.cast(x, "float32"))


def slices(x, positions, starts):
    """The rows at `positions` and `SIZE` rows from each start."""
    beside = np.take_along_axis(x, positions[:, None, :, None], axis=2)
    found = [
        np.concatenate([beside, x[:, :, start : start + SIZE]], axis=2)
        for start in starts
    ]
    return np.stack(found, axis=2)


@pytest.mark.parametrize("starts", [[3], [0, 4, 6]])
@pytest.mark.parametrize("heads", [None, (1, 2)])
@pytest.mark.parametrize("slots", [0, SLOTS])
@pytest.mark.parametrize("batch", [1, BATCH])
def test_spans_read_the_slices_behind_what_comes_first(
    batch, slots, heads, starts
):
    x = draw(0, batch, HEADS, LENGTH, DIM)
    positions = np.array(POSITIONS, "int32")[:batch, :slots]
    read = backend.spans(
        ops.convert_to_tensor(x),
        ops.convert_to_tensor(positions) if slots else None,
    )
    starts_tensor = ops.convert_to_tensor(starts, "int32")
    expected = slices(x, positions, starts)
    if heads is not None:
        expected = expected[:, 1:3]
    parts = read(starts_tensor, SIZE, heads)
    joined = np.concatenate([numbers(part) for part in parts], axis=3)
    np.testing.assert_array_equal(joined, expected)
    (joined,) = read(starts_tensor, SIZE, heads, joined=True)
    np.testing.assert_array_equal(numbers(joined), expected)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("length", [2, 8, 11])
def test_operands_of_a_long_document_are_those_of_all_at_once(
    batch, length, monkeypatch
):
    if backend.name == "jax":
        module = importlib.import_module("keras_led.backend.jax.attention")
        monkeypatch.setattr(module, "CACHED_SIZE", 2 * DIM)
        monkeypatch.setattr(module, "MAPPED_ROWS", 4)
    if backend.name == "torch":
        module = importlib.import_module("keras_led.backend.torch.attention")
        monkeypatch.setattr(module, "MAPPED_ROWS", 4)
        monkeypatch.setattr(module.workspace, "ASKED_FOR", 8 * DIM)
    kernels = [draw(seed, DIM, HEADS * DIM) for seed in (10, 11, 12)]
    seen = []

    def heads(x):
        seen.append(x.shape[1])
        shape = (batch, x.shape[1], HEADS, DIM)
        return tuple(
            ops.transpose(
                ops.reshape(ops.matmul(x, kernel), shape), (0, 2, 1, 3)
            )
            for kernel in kernels
        )

    def twice(x):
        # As two layers: what the first one left may be written over.
        first = [x + 0 for x in backend.map_operands(heads, 2 * x)]
        return first, backend.map_operands(heads, x)

    x = draw(13, batch, length, DIM)
    first, found = compiled(twice)(ops.convert_to_tensor(x))
    for before, operand, kernel in zip(first, found, kernels, strict=True):
        np.testing.assert_allclose(
            numbers(before), 2 * numbers(operand), atol=1e-5
        )
        expected = (x @ kernel).reshape(batch, length, HEADS, DIM)
        np.testing.assert_allclose(
            numbers(operand), expected.transpose(0, 2, 1, 3), atol=1e-5
        )
    cut = backend.name != "tensorflow" and batch * length > 2
    assert max(seen) <= 4 if cut else set(seen) == {length}
    # A gradient is taken of all at once.
    seen.clear()
    backend.map_operands(heads, ops.convert_to_tensor(x))
    assert seen == [length]


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float32", 1e-5), ("bfloat16", 4e-2), ("float16", 4e-3)],
)
def test_attends_to_what_the_bias_lets_through(blocks, dtype, tolerance):
    queries, scale = 6, 0.5
    query = draw(2, BATCH, HEADS, blocks, queries, DIM)
    x = draw(3, BATCH, HEADS, LENGTH, DIM)
    positions = np.array(POSITIONS, "int32")
    starts = [0, 4, 6][:blocks]
    key = slices(x, positions, starts)
    masked = np.random.default_rng(5).random(
        (BATCH, 1, blocks, queries, SLOTS + SIZE)
    )
    bias = np.where(masked < 0.3, np.finfo("float32").min, 0.0)
    bias = bias.astype("float32")
    scores = scale * query @ np.swapaxes(key, -1, -2) + bias

    def tensor(array):
        return ops.cast(ops.convert_to_tensor(array), dtype)

    positions = ops.convert_to_tensor(positions)
    read_keys = backend.key_spans(tensor(x), positions)
    read = backend.spans(tensor(x), positions)
    starts = ops.convert_to_tensor(starts, "int32")
    found = backend.attend(
        tensor(query),
        read_keys(starts, SIZE),
        read(starts, SIZE),
        ops.convert_to_tensor(bias),
        scale,
    )
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    np.testing.assert_allclose(
        numbers(found), softmax(scores) @ key, atol=tolerance
    )
    # Some of the heads, and compiled, which takes no gradients.
    attend = compiled(
        lambda query: backend.attend(
            query,
            read_keys(starts, SIZE, (1, 2)),
            read(starts, SIZE, (1, 2)),
            ops.convert_to_tensor(bias),
            scale,
        )
    )
    found = attend(tensor(query[:, 1:]))
    np.testing.assert_allclose(
        numbers(found), (softmax(scores) @ key)[:, 1:], atol=tolerance
    )
    (joined,) = read(starts, SIZE, joined=True)
    found = backend.scores(
        tensor(query), joined, ops.convert_to_tensor(bias), scale
    )
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_allclose(
        np.maximum(numbers(found), -9), np.maximum(scores, -9), atol=tolerance
    )


def test_large_scores_of_float16_do_not_overflow():
    query = ops.full((1, 1, 1, 1, 4), 200.0, dtype="float16")
    bias = ops.zeros((1, 1, 1, 1, 1))
    # 4 * 200 * 200 is more than float16 holds, a quarter is not.
    found = backend.scores(query, query, bias, 0.25)
    np.testing.assert_allclose(numbers(found), 40000.0)


@pytest.mark.parametrize("blocks", [1, 2])
def test_products_of_blocks(blocks):
    x = draw(6, BATCH, HEADS, blocks, 3, DIM)
    y = draw(7, BATCH, HEADS, blocks, DIM, 5)
    expected = x @ y
    tensors = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    np.testing.assert_allclose(
        numbers(backend.times(*tensors)), expected, atol=1e-5
    )
    turned = ops.convert_to_tensor(np.swapaxes(y, -1, -2).copy())
    np.testing.assert_allclose(
        numbers(backend.times_transposed(tensors[0], turned)),
        expected,
        atol=1e-5,
    )

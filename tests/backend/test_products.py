"""Products with matrices of weights: few rows, as in decoding, and many."""

import functools
import importlib
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend
from tests.gradients import compiled
from tests.gradients import gradients

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


pytestmark = pytest.mark.usefixtures("library")


@pytest.mark.parametrize("shape", [(3, 1), (2, 4), (1, 30), (5,)])
# The last one is large enough for PyTorch to read it in parts.
@pytest.mark.parametrize("inner", [INNER, INNER + 1, 8192])
@pytest.mark.parametrize("with_bias", [True, False])
def test_linear_is_the_plain_formula(shape, inner, with_bias):
    x, kernel, bias = draw(*shape, inner), draw(inner, OUTER), draw(OUTER)
    kernel /= np.float32(inner**0.5)

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
        np.testing.assert_allclose(found, expected, atol=3e-5)


@pytest.mark.parametrize("inner, outer", [(24, 9), (9, 24)])
def test_gradients_of_linear_are_those_of_the_plain_formula(inner, outer):
    arrays = draw(2, 5, inner), draw(inner, outer), draw(outer)
    weights = ops.convert_to_tensor(draw(2, 5, outer))

    def loss(linear, *operands):
        return ops.sum(ops.square(linear(*operands)) * weights)

    def plain(x, kernel, bias):
        return ops.matmul(x, kernel) + bias

    found = gradients(functools.partial(loss, backend.linear), *arrays)
    expected = gradients(functools.partial(loss, plain), *arrays)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.skipif(backend.name != "torch", reason="PyTorch's libraries")
def test_linear_has_gradients_of_gradients():
    import torch

    arrays = draw(6, 3), draw(3, 4), draw(4)

    def second_gradients(linear):
        operands = [torch.tensor(x, requires_grad=True) for x in arrays]
        loss = linear(*operands).pow(3).sum()
        first = torch.autograd.grad(loss, operands, create_graph=True)
        penalty = sum(gradient.pow(2).sum() for gradient in first)
        return torch.autograd.grad(penalty, operands)

    found = second_gradients(backend.linear)
    expected = second_gradients(lambda x, kernel, bias: x @ kernel + bias)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(backend.name != "torch", reason="PyTorch's libraries")
def test_users_can_turn_onednn_off(library, monkeypatch):
    import torch

    from keras_led.backend.torch import onednn

    x = torch.ones(3, 4)
    assert onednn.takes(x, x.t()) == (library == "oneDNN")
    assert not onednn.takes(x.double(), x.t().double())
    assert not onednn.takes(x[:0], x.t())
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    assert not onednn.takes(x, x.t())


@pytest.mark.parametrize("shape", [(3, 1), (1, 70)])
@pytest.mark.parametrize("rows", [7, 20_000, 20_480])
@pytest.mark.parametrize("by_onednn", [False, True])
def test_table_product_compares_with_each_row(
    shape, rows, by_onednn, monkeypatch
):
    x, table = draw(*shape, 4), draw(rows, 4)
    if backend.name == "tensorflow":
        from keras_led.backend.tensorflow import onednn

        monkeypatch.setattr(onednn, "multiplies", lambda: by_onednn)
    found = without_gradients(backend.table_product, x, table)
    assert found.shape == (*shape, rows)
    np.testing.assert_allclose(found, x @ table.T, atol=1e-5)


@pytest.mark.skipif(backend.name != "tensorflow", reason="of TensorFlow alone")
@pytest.mark.parametrize("wanted", ["0", "1"])
def test_tensorflow_says_whether_onednn_multiplies(wanted):
    code = (
        "from keras_led.backend.tensorflow import onednn\n"
        "assert onednn.multiplies() is {}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code.format(wanted == "1")],
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": wanted},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


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
    x, kernel = draw(5001, 3), draw(3, 3)
    found = without_gradients(
        lambda x, kernel: backend.map_rows(
            lambda _, rows: rows @ kernel, None, x
        ),
        x,
        kernel,
    )
    np.testing.assert_allclose(found, x @ kernel, atol=1e-5)


@pytest.fixture
def pieces_of_4(monkeypatch):
    """Lets `map_rows` hand on 4 rows at a time."""
    module = importlib.import_module(
        f"keras_led.backend.{backend.name}.products"
    )
    monkeypatch.setattr(module, "MAPPED_ROWS", 4)


@pytest.mark.parametrize("rows", [3, 8, 11])
def test_rows_in_pieces_are_mapped_as_all_at_once(rows, pieces_of_4):
    kernel = draw(INNER, INNER)
    seen = []

    def function(seed, x):
        assert seed is None
        seen.append(x.shape[0])
        return ops.tanh(ops.matmul(x, ops.convert_to_tensor(kernel)))

    x = draw(rows, INNER)
    mapped = compiled(lambda x: backend.map_rows(function, None, x))
    found = ops.convert_to_numpy(mapped(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(found, np.tanh(x @ kernel), atol=1e-5)
    assert max(seen) <= 4


@pytest.mark.skipif(backend.name != "torch", reason="others take all at once")
def test_gradients_of_rows_in_pieces_are_those_of_all(monkeypatch):
    module = importlib.import_module("keras_led.backend.torch.products")
    monkeypatch.setattr(module.workspace, "LARGEST_KEPT", 4 * 4 * 4 * INNER)
    x, other, kernel = draw(11, INNER), draw(11, INNER), draw(INNER, INNER)
    seen = []

    def total(run):
        def of_tensors(x, other, kernel):
            def function(seed, rows, others):
                seen.append((rows.shape[0], seed))
                return ops.tanh(ops.matmul(rows, kernel) * others)

            return ops.sum(run(function, x, other) ** 3)

        return gradients(of_tensors, x, other, kernel)

    expected = total(lambda function, *rows: function(None, *rows))
    assert [rows for rows, _ in seen] == [11]
    found = total(
        lambda function, *rows: backend.map_rows(function, None, *rows)
    )
    for pair in zip(found, expected, strict=True):
        np.testing.assert_allclose(*pair, atol=1e-5)
    assert [rows for rows, _ in seen[1:]] == [4, 4, 3]
    seed = ops.convert_to_tensor([1, 2], dtype="int32")
    total(lambda function, *rows: backend.map_rows(function, seed, *rows))
    assert len({noise for _, noise in seen[4:]}) == 3


@pytest.mark.skipif(backend.name != "tensorflow", reason="graphs of TensorFlow")
@pytest.mark.parametrize("rows", [0, 3, 4, 11])
@pytest.mark.parametrize("xla", [False, True])
def test_rows_of_a_graph_without_gradients_go_in_pieces(rows, xla, pieces_of_4):
    import tensorflow as tf

    kernel, traced = draw(INNER, INNER), []

    def function(_, x):
        traced.append(x)
        return tf.matmul(tf.tanh(x), kernel)

    def run(x):
        with backend.without_gradients():
            return backend.map_rows(function, None, x)

    spec = tf.TensorSpec((None, INNER), "float32")
    mapped = tf.function(run, input_signature=[spec], jit_compile=xla)
    x = draw(rows, INNER)
    np.testing.assert_allclose(mapped(x), np.tanh(x) @ kernel, atol=1e-5)
    assert len(traced) == 2  # a loop, and what is left


@pytest.mark.parametrize("last", [(11, 3), (11, 2)])
def test_rows_are_mapped_with_those_of_others(last, pieces_of_4):
    def function(_, rows, *others):
        return rows + sum(ops.sum(x, axis=-1, keepdims=True) for x in others)

    x, *others = before = draw(11, 3), draw(11, 1), draw(*last)
    expected = x + sum(other.sum(axis=1, keepdims=True) for other in others)
    kept = [array.copy() for array in before[:-1]]

    def mapped(*tensors):
        found = backend.map_rows(function, None, *tensors)
        return ops.concatenate([found, *tensors[:-1]], axis=1)

    tensors = map(ops.convert_to_tensor, before)
    found = ops.convert_to_numpy(compiled(mapped)(*tensors))
    np.testing.assert_allclose(found[:, :3], expected, atol=1e-6)
    # The last alone may lose its numbers.
    np.testing.assert_array_equal(found[:, 3:], np.concatenate(kept, axis=1))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("head_dim", [3, 32])
@pytest.mark.parametrize("keys", [7, 19, 20])
def test_a_weighted_sum_of_many_values_is_the_product(
    keys, head_dim, dtype, monkeypatch
):
    if backend.name == "jax":
        module = importlib.import_module("keras_led.backend.jax.products")
        monkeypatch.setattr(module, "SUMMED_KEYS", 4)
        monkeypatch.setattr(module, "MOST_PIECES_AT_ONCE", 2)
    weights, value = draw(2, 3, 5, keys), draw(2, 3, keys, head_dim)
    tensors = [ops.cast(x, dtype) for x in (weights, value)]
    found = compiled(backend.weighted_sum)(*tensors)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(found, "float32")),
        weights @ value,
        atol=1e-5 if dtype == "float32" else 0.2,
    )


def test_what_may_write_in_place_gives_the_same_with_and_without_gradients():
    x, factors = draw(5, 3), draw(5, 1)
    rows, indices = draw(2, 3), np.array([4, 1], "int32")
    replaced = x.copy()
    replaced[indices] = rows
    cases = [
        (backend.scale_rows_, (factors,), x * factors),
        (backend.write_rows_, (indices, rows), replaced),
        (backend.gelu_, (), ops.convert_to_numpy(ops.gelu(x, False))),
    ]
    for function, others, expected in cases:
        tensors = [ops.convert_to_tensor(other) for other in others]
        kept = ops.convert_to_tensor(x.copy())
        found = ops.convert_to_numpy(function(kept, *tensors))
        np.testing.assert_allclose(found, expected, atol=1e-6)
        # With gradients, as here, PyTorch too leaves the argument alone.
        np.testing.assert_array_equal(ops.convert_to_numpy(kept), x)
        found = without_gradients(
            lambda x, *others, run=function: run(x, *others), x.copy(), *others
        )
        np.testing.assert_allclose(found, expected, atol=1e-6)

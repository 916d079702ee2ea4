"""Rows of an embedding table: what is read, and the one gradient of it."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.layers.lookup import look_up
from tests.gradients import compiled
from tests.gradients import gradients

TABLE = np.random.default_rng(0).standard_normal((6, 3)).astype("float32")
FIRST = np.array([[1, 4, 1], [0, 5, 1]], "int32")  # a row more than once
SECOND = np.array([4, 4, 2], "int64")


def layer_of(table=TABLE, **options):
    layer = keras.layers.Embedding(*table.shape, **options)
    layer.build((None,))
    layer.embeddings.assign(table)
    return layer


def test_reads_the_rows_and_hands_the_table_on():
    rows, table = look_up(layer_of(), ops.convert_to_tensor(FIRST))
    np.testing.assert_array_equal(ops.convert_to_numpy(rows), TABLE[FIRST])
    np.testing.assert_array_equal(ops.convert_to_numpy(table), TABLE)


def test_reads_the_table_that_it_is_given():
    rows, _ = look_up(
        layer_of(), ops.convert_to_tensor(FIRST), ops.convert_to_tensor(-TABLE)
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(rows), -TABLE[FIRST])


def test_rows_have_the_dtype_of_the_layer():
    rows, table = look_up(
        layer_of(dtype="mixed_bfloat16"), ops.convert_to_tensor(FIRST)
    )
    dtypes = [keras.backend.standardize_dtype(x.dtype) for x in (rows, table)]
    assert dtypes == ["bfloat16", "float32"]


def test_quantized_tables_are_read_in_their_own_way():
    layer = layer_of()
    layer.quantize("int8")
    rows, table = look_up(layer, ops.convert_to_tensor(FIRST))
    assert table is None
    np.testing.assert_allclose(
        ops.convert_to_numpy(rows), TABLE[FIRST], atol=0.05
    )


def loss_of_rows(read, weights, table):
    """A scalar that reads a table twice, then as a whole (or not at all)."""
    first, table = read(table, ops.convert_to_tensor(FIRST))
    second, table = read(table, ops.convert_to_tensor(SECOND.astype("int32")))
    loss = ops.sum(first**2) + ops.sum(second**3)
    if weights is None:
        return loss
    return loss + ops.sum(ops.matmul(table, weights) ** 2)


def plain(table, ids):
    return ops.take(table, ids, axis=0), table


@pytest.mark.parametrize("as_a_whole", [True, False])
def test_readers_share_one_gradient(as_a_whole):
    weights = ops.convert_to_tensor(TABLE.T.copy()) if as_a_whole else None
    (found,), (expected,) = (
        gradients(functools.partial(loss_of_rows, read, weights), TABLE)
        for read in (backend.look_up, plain)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_compiled_lookups_read_the_same():
    read = compiled(backend.look_up)
    rows, _ = read(ops.convert_to_tensor(TABLE), ops.convert_to_tensor(FIRST))
    np.testing.assert_array_equal(ops.convert_to_numpy(rows), TABLE[FIRST])


@pytest.mark.skipif(backend.name != "torch", reason="PyTorch's graphs")
def test_a_graph_that_is_kept_gives_its_gradients_twice():
    import torch

    table = torch.tensor(TABLE, requires_grad=True)
    weights = torch.tensor(TABLE.T.copy())
    rows, same = backend.look_up(table, torch.tensor(FIRST))
    loss = (rows**2).sum() + ((same @ weights) ** 2).sum()
    once, twice = (
        torch.autograd.grad(loss, table, retain_graph=True)[0] for _ in range(2)
    )
    torch.testing.assert_close(once, twice, rtol=0, atol=0)
    places = []
    same.register_hook(lambda gradient: places.append(gradient.data_ptr()))
    (first,) = torch.autograd.grad(loss, table, retain_graph=True)
    assert places == [first.data_ptr()]  # the rows were added to it
    (first,) = torch.autograd.grad(loss, table, create_graph=True)
    torch.testing.assert_close(first, once)
    (second,) = torch.autograd.grad(first.pow(2).sum(), table)
    assert second.abs().sum() > 0

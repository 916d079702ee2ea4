"""Gradients of the windowed attention, by products and by a kernel."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.attention.global_tokens import GlobalTokens
from keras_led.attention.global_tokens import find_slots
from keras_led.attention.windowed import windowed_attention
from keras_led.backend.block_layout import BlockLayout
from tests.attention import reference
from tests.attention.reference import draw
from tests.gradients import gradients

HEADS, HEAD_DIM = 4, 3


def dense_in_ops(query, key, value, pairs):
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
    scores = ops.where(pairs[:, None], scores, -1e9)
    return ops.matmul(ops.softmax(scores), value)


def assert_gradients_are_those_of_dense_attention(
    local, global_mask, global_tokens, layout
):
    """With weights for the rows of local tokens alone."""
    window, (batch, length) = 4, local.shape
    query, key, value = draw(2, 3, batch, HEADS, length, HEAD_DIM)
    toward = draw(3, batch, HEADS, length, HEAD_DIM)
    toward = ops.convert_to_tensor(toward * local[:, None, :, None])
    pairs = reference.local_pairs(local, global_mask, window)
    padding = ops.convert_to_tensor(local | global_mask)

    def through_blocks(*operands):
        context, _ = windowed_attention(
            *operands,
            padding,
            window,
            global_tokens,
            layout=BlockLayout(*layout),
        )
        return ops.sum(context * toward)

    def through_dense(query, key, value):
        return ops.sum(dense_in_ops(query, key, value, pairs) * toward)

    found = gradients(through_blocks, query, key, value)
    expected = gradients(through_dense, query, key, value)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)
        assert np.abs(right).max() > 0.1


@pytest.fixture(params=["products", "kernel"])
def gradients_by(request, monkeypatch):
    """How the backend finds gradients, as on a CPU and as on a GPU."""
    if request.param == "products":
        return
    if keras.backend.backend() != "torch":
        pytest.skip("only PyTorch has a kernel for them")
    kernel = importlib.import_module("keras_led.backend.torch.attention")
    kernel = kernel._gradients_of_kernel
    monkeypatch.setattr(backend, "attend_gradients", lambda: kernel)


@pytest.mark.parametrize(
    "layout", [(4, 1), (3, 2), (2, 3), (2, 5), (5, 2), (16, 1), (10, 2)]
)
def test_gradients_equal_those_of_dense_attention(layout, gradients_by):
    local = np.ones((2, 10), bool)
    local[1, 7:] = False
    assert_gradients_are_those_of_dense_attention(
        local, np.zeros_like(local), None, layout
    )


@pytest.mark.parametrize(
    ("slots", "fits"), [(4, None), (4, True), (1, False), (10, False)]
)
def test_gradients_with_global_tokens(slots, fits, gradients_by):
    global_mask = np.zeros((2, 10), bool)
    global_mask[0, [0, 4, 9]] = True
    local = ~global_mask
    local[1, 8:] = False
    tokens = GlobalTokens(
        ops.convert_to_tensor(global_mask),
        find_slots(global_mask, slots),
        None if fits is None else ops.convert_to_tensor(fits),
    )
    for layout in (4, 1), (2, 3):
        assert_gradients_are_those_of_dense_attention(
            local, global_mask, tokens, layout
        )


def test_gradients_are_finite_where_no_key_is_left(gradients_by):
    query, key, value = draw(4, 3, 2, HEADS, 6, HEAD_DIM)
    none = np.zeros((2, 6), bool)

    def total(query, key, value):
        context, _ = windowed_attention(
            query, key, value, none, 4, layout=BlockLayout(4, 1)
        )
        return ops.sum(context**2)

    for gradient in gradients(total, query, key, value):
        assert np.isfinite(gradient).all()

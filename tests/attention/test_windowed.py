import functools
import gc
import weakref

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_led.attention.global_tokens import GlobalSlots
from keras_led.attention.global_tokens import GlobalTokens
from keras_led.attention.windowed import windowed_attention
from keras_led.backend.block_layout import BlockLayout
from tests.attention import reference
from tests.attention.reference import draw
from tests.gradients import compiled

HEADS, HEAD_DIM = 4, 3


@functools.cache
def attention(window, layout, return_weights=False, with_globals=True):
    """The attention as a compiled function of tensors only."""

    def call(query, key, value, padding, *global_tokens):
        tokens = None
        if with_globals:
            mask, *slots = global_tokens
            tokens = GlobalTokens(mask, GlobalSlots(*slots))
        context, weights = windowed_attention(
            query,
            key,
            value,
            padding,
            window,
            tokens,
            layout=layout,
            return_weights=return_weights,
        )
        return (context, weights) if return_weights else context

    return compiled(call)


def global_tokens(global_mask, slots):
    """The mask, and the positions of its tokens in `slots` slots."""
    counts = global_mask.sum(axis=1, keepdims=True)
    assert counts.max() <= slots
    # What stands in unused slots must not matter: other tokens, from the end.
    order = np.argsort(~global_mask, axis=1, kind="stable")
    last = np.argsort(global_mask, axis=1, kind="stable")[:, ::-1]
    places = np.arange(slots)[None]
    unused = np.take_along_axis(last, np.maximum(places - counts, 0), axis=1)
    positions = np.where(places < counts, order[:, :slots], unused)
    return global_mask, positions.astype("int32"), places < counts


# (batch, length, window, (query block, blocks a step, scores a step), slots)
SHAPES = [
    (1, 13, 4, (4, 1, 2 * 4 * 8), 2),  # two heads at once, of four
    (2, 14, 6, (5, 2, 10**3), 3),
    (2, 1, 2, (4, 1), 1),
    (1, 5, 2, (1, 2), 2),
    (3, 7, 4, (3, 1), 7),
    (2, 11, 6, (4, 3), 3),
    (2, 12, 2, (5, 2), 4),
    (1, 13, 40, (4, 2), 2),
    (2, 16, 8, (128, 16), 5),
    (2, 17, 4, (4, 1), 17),
]


@settings(max_examples=60)
@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**31),
    padded=st.floats(0, 0.7),
    globals_=st.floats(0, 1),
)
def test_equals_dense_attention(shape, seed, padded, globals_):
    batch, length, window, layout, slots = shape
    random = np.random.default_rng(seed)
    padding = random.random((batch, length)) >= padded
    global_mask = padding & (random.random((batch, length)) < globals_)
    global_mask &= global_mask.cumsum(axis=1) <= slots
    local = padding & ~global_mask
    query, key, value = draw(seed, 3, batch, HEADS, length, HEAD_DIM)
    found = attention(window, BlockLayout(*layout))(
        query, key, value, padding, *global_tokens(global_mask, slots)
    )
    pairs = reference.local_pairs(local, global_mask, window)
    expected, _ = reference.attend(query, key, value, pairs)
    rows = local[:, None, :, None]  # the caller sets the other rows
    np.testing.assert_allclose(
        ops.convert_to_numpy(found) * rows, expected * rows, atol=1e-5
    )


@pytest.mark.parametrize("length", [1, 4, 9])
def test_equals_dense_attention_without_global_tokens(length):
    query, key, value = draw(length, 3, 2, HEADS, length, HEAD_DIM)
    every = np.ones((2, length), bool)
    run = attention(4, BlockLayout(3, 2), with_globals=False)
    pairs = reference.local_pairs(every, ~every, 4)
    expected, _ = reference.attend(query, key, value, pairs)
    np.testing.assert_allclose(
        ops.convert_to_numpy(run(query, key, value, every)), expected, atol=1e-5
    )


@pytest.mark.parametrize("layout", [(3, 1), (4, 2), (128, 16)])
@pytest.mark.parametrize("window", [2, 6, 30])
def test_weights_are_laid_out_by_window_slot(window, layout):
    batch, length = 3, 11
    query, key, value = draw(window, 3, batch, HEADS, length, HEAD_DIM)
    global_mask = np.zeros((batch, length), bool)
    global_mask[1, [0, 6, 10]] = True
    global_mask[2, 4] = True
    padding = np.ones((batch, length), bool)
    padding[2, 8:] = False
    local = padding & ~global_mask
    run = attention(window, BlockLayout(*layout), return_weights=True)
    context, weights = run(
        query, key, value, padding, *global_tokens(global_mask, 3)
    )
    pairs = reference.local_pairs(local, global_mask, window)
    expected, dense = reference.attend(query, key, value, pairs)
    layout = reference.window_layout(dense, global_mask, window)
    rows = local[:, None, :, None]
    np.testing.assert_allclose(
        ops.convert_to_numpy(weights) * rows, layout * rows, atol=1e-6
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(context) * rows, expected * rows, atol=1e-5
    )


def test_block_layout_does_not_change_the_result():
    query, key, value = draw(1, 3, 2, HEADS, 23, HEAD_DIM)
    every = np.ones((2, 23), bool)
    results = [
        ops.convert_to_numpy(
            attention(6, BlockLayout(*layout), with_globals=False)(
                query, key, value, every
            )
        )
        for layout in [
            (1, 1),
            (5, 1),
            (7, 2),
            (4, 16),
            (128, 1),
            (5, 1, 2 * 2 * 5 * 11),  # two heads at once, of four
            (7, 2, 2 * 2 * 14 * 13),
        ]
    ]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=1e-5)


def test_an_empty_batch_has_an_empty_context():
    query, key, value = draw(0, 3, 0, HEADS, 12, HEAD_DIM)
    every = np.ones((0, 12), bool)
    for layout in [None, BlockLayout(5, 1, 100)]:
        context, _ = windowed_attention(
            *map(ops.convert_to_tensor, (query, key, value)),
            ops.convert_to_tensor(every),
            4,
            layout=layout,
        )
        assert tuple(context.shape) == (0, HEADS, 12, HEAD_DIM)


def test_dropout_keeps_the_mean_and_repeats_with_its_seed():
    length, seed = 40, np.array([3, 4], "uint32")
    query = np.zeros((1, 1, length, 2), "float32")
    value = np.ones((1, 1, length, 2), "float32")
    every = np.ones((1, length), bool)

    def context(seed):
        result, _ = windowed_attention(
            query,
            query,
            value,
            every,
            20,
            rate=0.4,
            seed=ops.convert_to_tensor(seed, dtype="uint32"),
            layout=BlockLayout(7, 1),
        )
        return ops.convert_to_numpy(result)[0, 0, :, 0]

    first = context(seed)
    np.testing.assert_array_equal(first, context(seed))
    assert np.abs(first - context(seed + 1)).max() > 0.05
    assert np.std(first) > 0.05
    assert abs(first.mean() - 1.0) < 0.1
    # Other blocks, other masks: the weights are uniform but at the ends.
    assert np.abs(first[7:14] - first[14:21]).max() > 1e-3


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch alone frees by count"
)
@pytest.mark.parametrize("derives", [False, True])
def test_attention_keeps_nothing_alive(derives):
    import torch

    gc.disable()  # a cycle of references would end with the next collection
    try:
        query = torch.ones((1, 2, 6, 4), requires_grad=derives)
        mask = torch.ones((1, 6), dtype=torch.bool)
        alive = weakref.ref(query)
        context, _ = windowed_attention(query, query, query, mask, 2)
        if derives:
            context.sum().backward()
        del query, context
        assert alive() is None
    finally:
        gc.enable()

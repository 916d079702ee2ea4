"""Windowed attention of a part of the document: that of the whole one."""

import numpy as np
import pytest
from keras import ops

from keras_led.attention.global_tokens import GlobalSlots
from keras_led.attention.global_tokens import GlobalTokens
from keras_led.attention.windowed import attend_with_halo
from keras_led.attention.windowed import windowed_attention
from keras_led.backend.block_layout import BlockLayout
from tests.attention.reference import draw
from tests.gradients import compiled
from tests.gradients import gradients

BATCH, HEADS, LENGTH, HEAD_DIM = 2, 4, 23, 3
SEED = np.array([3, 4], "uint32")
# The last slot is unused.
SLOTS = np.array([[2, 9, 0]] * BATCH, "int32")
VALID = np.array([[True, True, False]] * BATCH)


def document():
    padding = np.ones((BATCH, LENGTH), bool)
    padding[1, 17:] = False
    every = np.zeros((BATCH, LENGTH), bool)
    every[:, [2, 9]] = True
    return padding, every


def attend_in_parts(lengths, window, slots, layout):
    """Cuts documents into parts of these lengths, each with its halo."""
    padding, every = document()
    width = window // 2
    window_keys = padding & ~every if slots else padding
    window_keys = np.pad(window_keys, ((0, 0), (width, width)))

    def attend(query, key, value):
        beside = None
        if slots:
            pair = (ops.take(x, SLOTS[0], axis=2) for x in (key, value))
            beside = (*pair, ops.convert_to_tensor(VALID))
        widths = ((0, 0), (0, 0), (width, width), (0, 0))
        key, value = (ops.pad(x, widths) for x in (key, value))
        contexts, start = [], 0
        for length in lengths:
            end = start + length
            contexts.append(
                attend_with_halo(
                    query[:, :, start:end],
                    key[:, :, start : end + 2 * width],
                    value[:, :, start : end + 2 * width],
                    ops.convert_to_tensor(
                        window_keys[:, start : end + 2 * width]
                    ),
                    window,
                    beside,
                    layout=BlockLayout(*layout),
                )
            )
            start = end
        return ops.concatenate(contexts, axis=2)

    return attend


def attend_whole(window, slots):
    padding, every = map(ops.convert_to_tensor, document())
    tokens = None
    if slots:
        found = GlobalSlots(*map(ops.convert_to_tensor, (SLOTS, VALID)))
        tokens = GlobalTokens(every, found)

    def attend(query, key, value):
        return windowed_attention(query, key, value, padding, window, tokens)[0]

    return attend


@pytest.mark.parametrize(
    ("lengths", "window", "slots", "layout"),
    [
        ((11, 12), 8, True, (4, 2)),
        ((3, 20), 60, False, (7, 1)),  # a window wider than the document
    ],
)
def test_parts_attend_and_derive_as_the_whole(lengths, window, slots, layout):
    padding, every = document()
    local = padding & ~every if slots else padding
    toward = draw(5, BATCH, HEADS, LENGTH, HEAD_DIM) * local[:, None, :, None]
    operands = draw(6, 3, BATCH, HEADS, LENGTH, HEAD_DIM)
    whole = attend_whole(window, slots)
    parts = attend_in_parts(lengths, window, slots, layout)
    found, expected = (
        ops.convert_to_numpy(
            compiled(attend)(*map(ops.convert_to_tensor, operands))
        )
        for attend in (parts, whole)
    )
    difference = (found - expected) * local[:, None, :, None]
    assert np.abs(difference).max() < 1e-5
    toward = ops.convert_to_tensor(toward)
    found, expected = (
        gradients(lambda *x, f=attend: ops.sum(f(*x) * toward), *operands)
        for attend in (parts, whole)
    )
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-5)
        assert np.abs(right).max() > 0.1


@pytest.mark.parametrize("part", ["halo", "whole"])
def test_the_gradient_drops_what_was_dropped(part):
    window, length = 8, 23
    toward = ops.convert_to_tensor(draw(7, 1, 2, length, HEAD_DIM))
    keys = length + window if part == "halo" else length
    operands = [
        draw(8, 1, 2, length, HEAD_DIM),
        *draw(9, 2, 1, 2, keys, HEAD_DIM),
    ]
    every = ops.convert_to_tensor(np.ones((1, keys), bool))
    options = {"rate": 0.4, "layout": BlockLayout(3, 1)}

    def loss(*operands):
        seed = ops.convert_to_tensor(SEED, dtype="uint32")
        attend = attend_with_halo if part == "halo" else windowed_attention
        context = attend(*operands, every, window, seed=seed, **options)
        context = context if part == "halo" else context[0]
        return ops.sum(context * toward)

    slopes = gradients(loss, *operands)
    steepness = np.sqrt(sum((slope**2).sum() for slope in slopes))
    size = 1e-2 / steepness  # along the gradient, of length 0.01
    up, down = (
        loss(
            *(
                ops.convert_to_tensor(x + way * slope)
                for x, slope in zip(operands, slopes, strict=True)
            )
        )
        for way in (size, -size)
    )
    rise = float(up - down) / 2e-2
    assert abs(rise - steepness) < 0.01 * steepness

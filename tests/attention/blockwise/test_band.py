import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.attention.blockwise.band import span_bias
from keras_led.attention.blockwise.plan import plan_blocks
from keras_led.attention.global_tokens import GlobalSlots
from keras_led.backend.block_layout import BlockLayout


@pytest.mark.parametrize(
    ("margin", "trimmed"), [(False, False), (True, False), (False, True)]
)
@pytest.mark.parametrize("layout", [(3, 1), (4, 2), (128, 16)])
@pytest.mark.parametrize("window", [2, 6, 40])
@pytest.mark.parametrize("length", [1, 10, 11])
@pytest.mark.parametrize("share", [0.7, 1.0])
def test_lets_through_the_window_and_the_valid_slots(
    share, length, window, layout, margin, trimmed
):
    batch = 2
    random = np.random.default_rng(length)
    visible = random.random((batch, length)) < share
    valid = np.array([[True, share == 1], [True, True]])
    if trimmed and not backend.shapes_may_vary():
        pytest.skip("This backend has one shape for all steps.")
    blocks = plan_blocks(
        np.zeros((batch, 1, length, 4)),
        window,
        BlockLayout(*layout),
        trimmed,
    )
    keys = ops.convert_to_tensor(visible)
    if margin:
        blocks = blocks.with_margin()
        keys = blocks.pad_keys(keys, axis=1)
    slots = GlobalSlots(None, ops.convert_to_tensor(valid))
    bias_of = span_bias(keys, slots, blocks)
    for step in range(blocks.num_steps):
        span = blocks.span_at(step)
        if trimmed and layout[1] == 1:  # just what the windows reach
            first = step * blocks.query_block
            end = min(first + blocks.query_block + window // 2, length)
            assert span == end - max(first - window // 2, 0)
        step = ops.convert_to_tensor(step, "int32")
        assert int(blocks.span_at(step)) == span
        bias = ops.convert_to_numpy(bias_of(step))
        assert bias.dtype == np.float32 and np.isfinite(bias).all()
        bias = np.broadcast_to(bias, (batch, *bias.shape[1:]))
        starts, key_starts = map(ops.convert_to_numpy, blocks.starts(step))
        shift = blocks.margin or 0  # where the document's first key lies
        for block, start in enumerate(starts - shift):
            for row in range(min(blocks.query_block, length - start)):
                first = key_starts[block] - shift
                places = first + np.arange(span)
                inside = (places >= 0) & (places < length)
                seen = visible[:, np.clip(places, 0, length - 1)] & inside
                seen &= abs(places - start - row) <= window // 2
                expected = np.concatenate([valid, seen], axis=1)
                found = bias[:, 0, block, row]
                np.testing.assert_array_equal(found == 0, expected)
                assert (found[~expected] < -5e37).all()
        assert np.isfinite(
            ops.convert_to_numpy(
                ops.cast(ops.cast(bias, "bfloat16"), "float32")
            )
        ).all()

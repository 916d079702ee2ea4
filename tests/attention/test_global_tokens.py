import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_led.attention.global_tokens import add_to_keys_
from keras_led.attention.global_tokens import find_slots
from keras_led.attention.global_tokens import gather_tokens
from keras_led.attention.global_tokens import plan_slots
from keras_led.attention.global_tokens import write_tokens_
from tests.gradients import compiled

LENGTH = 9


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH),
        min_size=3,
        max_size=3,
    ),
    num_slots=st.sampled_from([1, 4, LENGTH]),
)
def test_slots_are_the_global_tokens_in_order(rows, num_slots):
    mask = np.array(rows)
    positions, valid = map(ops.convert_to_numpy, find_slots(mask, num_slots))
    for row, found, used in zip(mask, positions, valid, strict=True):
        wanted = np.flatnonzero(row)[:num_slots]
        np.testing.assert_array_equal(found[: len(wanted)], wanted)
        np.testing.assert_array_equal(used, np.arange(num_slots) < len(wanted))
        assert len(set(found.tolist())) == num_slots


def test_written_rows_replace_only_the_global_tokens():
    random = np.random.default_rng(0)
    x = random.standard_normal((3, 5, 2)).astype("float32")
    mask = np.zeros((3, 5), bool)
    mask[0, [1, 4]] = True
    mask[2, 3] = True
    slots = find_slots(mask, 3)
    rows = np.arange(18, dtype="float32").reshape(3, 3, 2)
    expected = x.copy()
    expected[0, 1], expected[0, 4], expected[2, 3] = (
        rows[0, 0],
        rows[0, 1],
        rows[2, 0],
    )
    found = ops.convert_to_numpy(write_tokens_(x, slots, rows))
    np.testing.assert_array_equal(found, expected)
    gathered = ops.convert_to_numpy(gather_tokens(x, slots.positions))
    np.testing.assert_array_equal(gathered[0, :2], x[0, [1, 4]])
    np.testing.assert_array_equal(gathered[2, 0], x[2, 3])


def test_rows_are_added_to_the_keys_of_every_head():
    random = np.random.default_rng(1)
    x = random.standard_normal((2, 3, 5, 4)).astype("float32")
    positions = np.array([[4, 1], [0, 3]], "int32")
    rows = random.standard_normal((2, 3, 2, 4)).astype("float32")
    expected = x.copy()
    for row in range(2):
        expected[row][:, positions[row]] += rows[row]
    found = add_to_keys_(*map(ops.convert_to_tensor, (x, positions, rows)))
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("counts", "exact", "expected"),
    [
        ([0, 0], False, 0),
        ([0, 1], False, 1),
        ([3, 1], False, 4),
        ([3, 1], True, 3),
        ([5, 2], False, 8),
        ([LENGTH, 2], False, LENGTH),  # never more slots than tokens
        ([LENGTH, 2], True, LENGTH),
    ],
)
def test_slots_for_a_batch_whose_mask_can_be_read(counts, exact, expected):
    mask = np.arange(LENGTH)[None, :] < np.array(counts)[:, None]
    plan = plan_slots(ops.convert_to_tensor(mask), 2, exact=exact)
    assert plan.num_slots == expected
    assert plan.fits is None


@pytest.mark.parametrize(("most", "fits"), [(2, True), (3, True), (4, False)])
def test_slots_inside_a_trace_are_those_asked_for(most, fits):
    import keras

    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch runs eagerly: every mask can be read")
    seen = []

    def trace(mask):
        plan = plan_slots(mask, 3)
        seen.append(plan.num_slots)
        return plan.fits

    mask = np.arange(LENGTH)[None, :] < np.array([most, 1])[:, None]
    found = compiled(trace)(ops.convert_to_tensor(mask))
    assert bool(ops.convert_to_numpy(found)) is fits
    assert set(seen) == {3}

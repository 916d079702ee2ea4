import numpy as np
import pytest

from tests import peer
from tests.models.pairs import BATCH
from tests.models.pairs import both_sides
from tests.models.pairs import document
from tests.models.pairs import pair

LENGTH = 11
NAME = "LEDForQuestionAnswering"


def test_logits_of_the_shifted_document():
    inputs = document(LENGTH, "right", "mixed")
    found = peer.check(*pair(NAME), {**inputs, "use_cache": False})
    assert tuple(found.start_logits.shape) == (BATCH, LENGTH)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ([0, 3, 10], [2, 3, 10]),
        ([1, 40, 4], [2, 41, 11]),  # beyond the end: ignored
        ([1, -5, 4], [2, -1, 6]),  # before the start: taken as 0
    ],
)
def test_loss_with_positions_in_and_out_of_range(start, end):
    inputs = {
        **document(LENGTH, "right", "mixed"),
        "start_positions": np.array(start, "int32"),
        "end_positions": np.array(end, "int32"),
    }
    found = peer.check(*pair(NAME), {**inputs, "use_cache": False})
    assert float(peer.to_numpy(found.loss)) > 0


def test_positions_of_shape_batch_by_one():
    ours, other = pair(NAME)
    inputs = {
        **both_sides(LENGTH, "right", "mixed"),
        "start_positions": np.array([[0], [3], [4]], "int32"),
        "end_positions": np.array([[1], [3], [9]], "int32"),
    }
    peer.check(ours, other, {**inputs, "use_cache": False})


def test_loss_is_zero_where_no_position_is_in_range():
    ours, _ = pair(NAME)
    beyond = np.full((BATCH,), LENGTH, "int32")
    found = ours(
        **document(LENGTH), start_positions=beyond, end_positions=beyond + 3
    )
    assert float(peer.to_numpy(found.loss)) == 0.0

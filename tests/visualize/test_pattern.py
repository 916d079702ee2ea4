"""The matrix of an encoder layer's weights against one built by hand."""

import numpy as np
import pytest

from keras_led import visualize
from keras_led.outputs import LEDEncoderBaseModelOutput
from tests import peer
from tests.models.pairs import both_sides
from tests.models.pairs import pair


@pytest.fixture(scope="module")
def seen():
    model, _ = pair("LEDModel", attention_window=(4, 8))
    inputs = {
        name: value
        for name, value in both_sides(11, "right", "mixed").items()
        if name in ("input_ids", "attention_mask", "global_attention_mask")
    }
    outputs = model.get_encoder()(**inputs, output_attentions=True)
    return outputs, inputs


def by_hand(outputs, mask, layer, row, head):
    """Reads every entry from its documented slot, one at a time."""
    local = peer.to_numpy(outputs.attentions[layer])[row, head]
    wide = peer.to_numpy(outputs.global_attentions[layer])[row, head]
    num_slots, half = wide.shape[1], (local.shape[1] - wide.shape[1]) // 2
    tokens = [i for i, flag in enumerate(mask[row]) if flag]
    length = len(local)
    matrix = np.zeros((length, length))
    for query in range(length):
        for key in range(length):
            if query in tokens:
                matrix[query, key] = wide[key, tokens.index(query)]
            elif key in tokens:
                matrix[query, key] = local[query, tokens.index(key)]
            elif abs(key - query) <= half:
                matrix[query, key] = local[
                    query, num_slots + half + key - query
                ]
    return matrix


@pytest.mark.parametrize(("layer", "row", "head"), [(0, 0, 1), (1, 1, 0)])
def test_every_weight_is_in_its_place(seen, layer, row, head):
    outputs, inputs = seen
    mask = inputs["global_attention_mask"] * inputs["attention_mask"]
    found = visualize.attention_matrix(outputs, mask, layer, head, row)
    expected = by_hand(outputs, mask, layer, row, head)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    real = inputs["attention_mask"][row] == 1
    np.testing.assert_allclose(found[real].sum(axis=1), 1, atol=1e-5)


def test_pooled_rows_are_means(seen):
    outputs, inputs = seen
    mask = inputs["global_attention_mask"] * inputs["attention_mask"]
    whole = visualize.attention_matrix(outputs, mask)
    pooled = visualize.attention_matrix(outputs, mask, bins=4)
    bins = np.arange(11) * 4 // 11
    for query in range(4):
        for key in range(4):
            block = whole[bins == query][:, bins == key]
            expected = block.sum(axis=1).mean()
            assert pooled[query, key] == pytest.approx(expected)


def test_the_picture_covers_the_document(seen):
    outputs, inputs = seen
    mask = inputs["global_attention_mask"] * inputs["attention_mask"]
    ax = visualize.plot_attention_pattern(outputs, mask, layer=1, head=0)
    assert ax.get_title() == "encoder layer 1, head 0"
    assert ax.get_xlim() == (0, 11)
    drawn = ax.images[0].get_array()
    matrix = visualize.attention_matrix(outputs, mask, layer=1, head=0)
    np.testing.assert_array_equal(drawn.filled(0), matrix)


def test_global_tokens_are_marked_and_wide_enough_to_see():
    length, bins, token = 1000, 50, 300
    zeros = np.zeros
    local = zeros((1, 1, length, 1 + 5), "float32")
    local[..., 0] = 0.25
    local[..., 3] = 0.75
    wide = np.full((1, 1, length, 1), 1 / length, "float32")
    outputs = LEDEncoderBaseModelOutput(
        last_hidden_state=None, attentions=(local,), global_attentions=(wide,)
    )
    mask = zeros((1, length), "int32")
    mask[0, token] = 1
    ax = visualize.plot_attention_pattern(outputs, mask, bins=bins)
    whole, column, line = ax.images
    matrix = whole.get_array().filled(0)
    np.testing.assert_array_equal(column.get_array()[:, 0], matrix[:, 15])
    np.testing.assert_array_equal(line.get_array()[0], matrix[15])
    assert column.get_extent() == [300, 310, 1000, 0]
    assert line.get_extent() == [0, 1000, 310, 300]
    assert [mark.get_marker() for mark in ax.get_lines()] == ["v", "<"]
    assert [mark.get_xdata()[0] for mark in ax.get_lines()] == [305, 1.015]


def test_outputs_without_attentions_are_refused(seen):
    outputs, inputs = seen
    bare = type(outputs)(last_hidden_state=outputs.last_hidden_state)
    with pytest.raises(ValueError, match="output_attentions=True"):
        visualize.attention_matrix(bare, inputs["global_attention_mask"])


def test_mask_of_another_call_is_refused(seen):
    outputs, inputs = seen
    mask = inputs["global_attention_mask"]
    with pytest.raises(ValueError, match=r"shape \(B, 11\)"):
        visualize.attention_matrix(outputs, mask[:, :-1])
    with pytest.raises(ValueError, match="11 global tokens"):
        visualize.attention_matrix(outputs, np.ones_like(mask))

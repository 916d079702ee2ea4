import pathlib

import numpy as np
import pytest

from tests import peer
from tests.golden.files import read_golden
from tests.models.pairs import both_sides
from tests.models.pairs import from_golden
from tests.models.pairs import pair

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
OUTPUTS = {"use_cache": False, "output_attentions": True}
HEAD_MASKS = ("head_mask", "decoder_head_mask", "cross_attn_head_mask")


@pytest.mark.parametrize(
    ("padding", "wide"),
    [
        ("absent", "absent"),  # no global token: no global attentions
        ("right", "none"),
        ("absent", "first"),
        ("right", "mixed"),  # unused slots in rows with fewer globals
        ("left", "mixed"),
        ("row", "all"),
        ("right", "last"),  # masked and global at once
        ("holes", "minus"),
    ],
)
def test_attentions_are_laid_out_as_the_peers(padding, wide):
    model = pair("LEDModel", attention_window=(4, 8))
    peer.check(*model, both_sides(11, padding, wide), **OUTPUTS)


@pytest.mark.parametrize("length", [1, 3])
def test_attentions_of_short_documents(length):
    model = pair("LEDModel", attention_window=(4, 8))
    peer.check(*model, both_sides(length, "absent", "first"), **OUTPUTS)


def test_all_outputs_at_once_come_in_the_peers_order():
    ours, other = pair("LEDModel", attention_window=(4, 8))
    inputs = {
        **both_sides(11, "right", "mixed"),
        "output_attentions": True,
        "output_hidden_states": True,
        "use_cache": True,
    }
    found = peer.check(ours, other, inputs)
    as_tuple = ours(**inputs, return_dict=False)
    assert isinstance(as_tuple, tuple)
    assert len(as_tuple) == len(found) == 9
    for left, right in zip(as_tuple, found.to_tuple(), strict=True):
        left = [x for _, x in peer.flatten("", peer.to_numpy(left))]
        right = [x for _, x in peer.flatten("", peer.to_numpy(right))]
        for one, two in zip(left, right, strict=True):
            np.testing.assert_array_equal(one, two)


def test_returned_attentions_do_not_change_the_hidden_states():
    ours, _ = pair("LEDModel", attention_window=(4, 8))
    inputs = both_sides(11, "right", "mixed")
    with_weights = ours(**inputs, **OUTPUTS)
    without = ours(**inputs, use_cache=False)
    for name in without.keys():
        np.testing.assert_allclose(
            peer.to_numpy(with_weights[name]),
            peer.to_numpy(without[name]),
            atol=1e-5,
        )


@pytest.mark.parametrize("name", [*HEAD_MASKS, "all"])
def test_head_masks_equal_those_of_transformers_4(name):
    config, weights, cases = read_golden(GOLDEN / "head_masks.npz")
    ours = from_golden("LEDModel", "head_masks", config, weights)
    inputs, outputs = cases[name]["inputs"], cases[name]["outputs"]
    counts = peer.count_globals(
        inputs["attention_mask"], inputs["global_attention_mask"]
    )
    # A head mask of the peer multiplies the filler of unused slots as well.
    outputs["encoder_global_attentions"] = peer.cut_global_attentions(
        outputs["encoder_global_attentions"], counts, 10
    )
    found = ours(**inputs, use_cache=False)
    peer.compare(found, outputs, only=outputs)
    plain = {k: v for k, v in inputs.items() if k not in HEAD_MASKS}
    unmasked = ours(**plain, use_cache=False).last_hidden_state
    difference = peer.to_numpy(unmasked) - outputs["last_hidden_state"]
    assert np.abs(difference).max() > 0.01


@pytest.mark.parametrize("name", HEAD_MASKS)
def test_head_masks_act_without_returned_attentions(name):
    config, weights, cases = read_golden(GOLDEN / "head_masks.npz")
    ours = from_golden("LEDModel", "head_masks", config, weights)
    inputs = {**cases[name]["inputs"], "output_attentions": False}
    found = ours(**inputs, use_cache=False).last_hidden_state
    np.testing.assert_allclose(
        peer.to_numpy(found),
        cases[name]["outputs"]["last_hidden_state"],
        atol=peer.TOLERANCE,
    )


@pytest.mark.parametrize("wide", ["absent", "first", "mixed"])
def test_a_window_of_two_equals_tensorflows(wide):
    config, weights, cases = read_golden(GOLDEN / "tensorflow_window_two.npz")
    ours = from_golden("LEDModel", "window_two", config, weights)
    inputs, outputs = cases[wide]["inputs"], cases[wide]["outputs"]
    del outputs["tuple_length"]
    if wide == "absent":  # TensorFlow returns empty tensors, PyTorch nothing
        del outputs["encoder_global_attentions"]
    else:
        counts = peer.count_globals(
            inputs["attention_mask"], inputs["global_attention_mask"]
        )
        outputs["encoder_global_attentions"] = peer.cut_global_attentions(
            outputs["encoder_global_attentions"], counts, 9
        )
    peer.compare(ours(**inputs, use_cache=False), outputs)

import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.attention.cross_keys import FEW_QUERIES
from tests import peer
from tests.models.pairs import BATCH
from tests.models.pairs import both_sides
from tests.models.pairs import document
from tests.models.pairs import pair

LENGTH, TARGETS = 11, 6


def model(**changes):
    return pair("LEDForConditionalGeneration", **changes)


def full_pass(ours, **extra):
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    return inputs, peer.to_numpy(ours(**inputs, **extra).logits)


def test_cache_has_the_values_of_the_peers():
    ours, other = model()
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    found = peer.check(ours, other, {**inputs, "use_cache": True})
    past = found.past_key_values
    assert len(past) == 2
    assert [tuple(x.shape) for x in past[0]] == [
        (BATCH, 3, TARGETS, 8),
        (BATCH, 3, TARGETS, 8),
        (BATCH, 3, LENGTH, 8),
        (BATCH, 3, LENGTH, 8),
    ]


def test_no_cache_is_returned_unless_asked_for():
    ours, _ = model()
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    assert "past_key_values" not in ours(**inputs, use_cache=False)
    assert "past_key_values" in ours(**inputs)  # config.use_cache


def test_steps_with_the_cache_equal_one_full_pass():
    ours, _ = model()
    inputs, expected = full_pass(ours)
    ids = inputs.pop("decoder_input_ids")
    encoder_outputs = ours.get_encoder()(**inputs)
    past, found, start = None, [], 0
    for step in (3, 1, 2):  # several tokens, one, several behind others
        output = ours(
            encoder_outputs=encoder_outputs,
            attention_mask=inputs["attention_mask"],
            decoder_input_ids=ids[:, start : start + step],
            past_key_values=past,
            use_cache=True,
        )
        past, start = output.past_key_values, start + step
        found.append(peer.to_numpy(output.logits))
    np.testing.assert_allclose(
        np.concatenate(found, axis=1), expected, atol=1e-5
    )


def test_a_step_with_the_cache_needs_no_document():
    ours, other = model()
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    expected = peer.call_peer(other, **inputs).logits.numpy()
    ids = inputs.pop("decoder_input_ids")
    past = ours(**inputs, decoder_input_ids=ids[:, :-1]).past_key_values
    output = ours(
        attention_mask=inputs["attention_mask"],
        decoder_input_ids=ids[:, -1:],
        past_key_values=past,
    )
    np.testing.assert_allclose(
        peer.to_numpy(output.logits)[:, 0], expected[:, -1], atol=1e-4
    )


def left_padded():
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    mask = np.ones((BATCH, TARGETS), "int32")
    mask[1, :2] = mask[2, :1] = 0
    inputs["decoder_attention_mask"] = mask
    return inputs, mask.astype(bool)


def test_left_padded_decoder_inputs_equal_the_peers():
    ours, other = model()
    inputs, real = left_padded()
    expected = peer.call_peer(other, **inputs).logits.numpy()
    found = peer.to_numpy(ours(**inputs).logits)
    np.testing.assert_allclose(found[real], expected[real], atol=peer.TOLERANCE)
    inputs["decoder_attention_mask"] = None
    ignored = peer.to_numpy(ours(**inputs).logits)
    assert np.abs(ignored[real] - expected[real]).max() > 0.01


def test_left_padded_decoder_inputs_give_the_same_with_a_cache():
    ours, _ = model()
    inputs, real = left_padded()
    expected = peer.to_numpy(ours(**inputs).logits)
    ids = inputs.pop("decoder_input_ids")
    mask = inputs.pop("decoder_attention_mask")
    past, found = None, []
    for start, end in ((0, 3), (3, 4), (4, TARGETS)):
        output = ours(
            **inputs,
            decoder_input_ids=ids[:, start:end],
            decoder_attention_mask=mask[:, :end],
            past_key_values=past,
        )
        past = output.past_key_values
        found.append(peer.to_numpy(output.logits))
    found = np.concatenate(found, axis=1)
    np.testing.assert_allclose(found[real], expected[real], atol=1e-5)


def decoding(ours, beams, max_length, **masks):
    encoded = ours.encode(**document(LENGTH, "right", "mixed"))
    padding = peer.padding_mask("right", BATCH, LENGTH)
    return ours.start_decoding(
        encoded.last_hidden_state,
        ops.convert_to_tensor(padding),
        rows_per_document=beams,
        max_length=max_length,
    )


def test_decoding_steps_equal_one_full_pass():
    ours, _ = model()
    beams = 2
    state = decoding(ours, beams, TARGETS + 2)
    ids = peer.token_ids(BATCH * beams, TARGETS, seed=5)
    inputs = {
        name: None if value is None else np.repeat(value, beams, axis=0)
        for name, value in document(LENGTH, "right", "mixed").items()
    }
    full = ours(
        **inputs,
        decoder_input_ids=ids,
        output_attentions=True,
        output_hidden_states=True,
    )
    expected = peer.to_numpy(full.logits)
    first, state = ours.decode_step(ids[:, :3], state, 0)
    np.testing.assert_allclose(
        peer.to_numpy(first.logits), expected[:, :3], atol=1e-5
    )
    for index in range(3, TARGETS):
        output, state = ours.decode_step(
            ids[:, index : index + 1],
            state,
            ops.convert_to_tensor(index, dtype="int32"),
            output_attentions=True,
            output_hidden_states=True,
        )
        np.testing.assert_allclose(
            peer.to_numpy(output.logits)[:, 0], expected[:, index], atol=1e-5
        )
        for name in ("decoder_attentions", "cross_attentions"):
            for left, right in zip(output[name], full[name], strict=True):
                left, right = peer.to_numpy(left), peer.to_numpy(right)
                if name == "decoder_attentions":  # over all slots
                    assert left.shape[-1] == TARGETS + 2
                    assert not left[..., index + 1 :].any()
                    left = left[..., :TARGETS]
                np.testing.assert_allclose(
                    left[:, :, 0], right[:, :, index], atol=1e-5
                )
        for left, right in zip(
            output.decoder_hidden_states,
            full.decoder_hidden_states,
            strict=True,
        ):
            np.testing.assert_allclose(
                peer.to_numpy(left)[:, 0],
                peer.to_numpy(right)[:, index],
                atol=1e-5,
            )


@pytest.mark.parametrize("beams", [FEW_QUERIES, FEW_QUERIES + 1])
def test_keys_are_packed_for_few_queries_and_change_nothing(beams, monkeypatch):
    ours, _ = model()
    ids = peer.token_ids(BATCH * beams, 1, seed=5)
    found, keys = [], []
    for size in (None, 4):
        monkeypatch.setattr(
            backend, "packed_chunk_columns", lambda size=size: size
        )
        state = decoding(ours, beams, TARGETS)
        keys.append(type(state.cross_cache[0][0]).__name__)
        found.append(peer.to_numpy(ours.decode_step(ids, state, 0)[0].logits))
    packs = beams == FEW_QUERIES
    assert keys == ["Keys", "PackedKeys" if packs else "Keys"]
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)


def test_decoding_without_a_cache_equals_decoding_with_one():
    ours, _ = model()
    state = decoding(ours, 2, TARGETS)
    ids = peer.token_ids(BATCH * 2, TARGETS, seed=5)
    with_cache, _ = ours.decode_step(ids, state, 0)
    without, _ = ours.decode_step(ids, state._replace(self_cache=None), 0)
    np.testing.assert_allclose(
        peer.to_numpy(without.logits),
        peer.to_numpy(with_cache.logits),
        atol=1e-5,
    )


def test_decoding_honours_the_mask_of_a_left_padded_prompt():
    ours, _ = model()
    inputs, real = left_padded()
    expected = peer.to_numpy(ours(**inputs).logits)
    ids = inputs["decoder_input_ids"]
    mask = np.ones((BATCH, TARGETS + 3), bool)
    mask[:, :TARGETS] = real
    state = decoding(ours, 1, TARGETS + 3)
    found = []
    for start, end in ((0, 4), (4, 5), (5, 6)):
        output, state = ours.decode_step(
            ids[:, start:end],
            state,
            start,
            decoder_attention_mask=ops.convert_to_tensor(mask),
        )
        found.append(peer.to_numpy(output.logits))
    found = np.concatenate(found, axis=1)
    np.testing.assert_allclose(found[real], expected[real], atol=1e-5)


def test_reordered_beams_go_on_from_the_rows_they_came_from():
    ours, _ = model()
    beams = 2
    ids = peer.token_ids(BATCH * beams, 4, seed=6)
    rows = np.array([1, 1, 2, 3, 5, 4], "int32")  # within each document
    state = decoding(ours, beams, 4)
    _, state = ours.decode_step(ids[:, :3], state, 0)
    moved = state.reorder(ops.convert_to_tensor(rows))
    found, _ = ours.decode_step(ids[:, 3:], moved, 3)
    straight = np.concatenate([ids[rows, :3], ids[:, 3:]], axis=1)
    state = decoding(ours, beams, 4)
    expected, _ = ours.decode_step(straight, state, 0)
    np.testing.assert_allclose(
        peer.to_numpy(found.logits)[:, 0],
        peer.to_numpy(expected.logits)[:, -1],
        atol=1e-5,
    )


def test_head_masks_act_in_a_decoding_step():
    ours, _ = model()
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    masks = {
        "decoder_head_mask": np.array([[1, 0, 1], [0.5, 1, 1]], "float32"),
        "cross_attn_head_mask": np.array([[0, 1, 1], [1, 1, 0]], "float32"),
    }
    expected = peer.to_numpy(ours(**inputs, **masks).logits)
    ids = inputs["decoder_input_ids"]
    found, _ = ours.decode_step(ids, decoding(ours, 1, TARGETS), 0, **masks)
    np.testing.assert_allclose(peer.to_numpy(found.logits), expected, atol=1e-5)

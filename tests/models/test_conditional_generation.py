import keras
import numpy as np
import pytest

from tests import peer
from tests.models.pairs import BATCH
from tests.models.pairs import both_sides
from tests.models.pairs import document
from tests.models.pairs import pair

LENGTH, TARGETS = 11, 6
NAME = "LEDForConditionalGeneration"


def labels(ignored=0):
    values = peer.token_ids(BATCH, TARGETS, seed=21)
    if ignored:
        values[1, -ignored:] = peer.IGNORED
    return values


@pytest.mark.parametrize("ignored", [0, 2, TARGETS])
def test_loss_and_logits_from_labels(ignored):
    inputs = {**document(LENGTH, "right", "mixed"), "labels": labels(ignored)}
    found = peer.check(*pair(NAME), inputs)
    assert "past_key_values" not in found  # as the peer, with labels
    assert peer.to_numpy(found.loss).shape == ()


def test_a_pad_token_among_the_labels_counts():
    values = labels()
    values[0, -2:] = 1
    inputs = {**document(LENGTH, "right", "mixed"), "labels": values}
    peer.check(*pair(NAME), inputs)


def test_loss_with_decoder_ids_of_the_callers():
    inputs = {
        **both_sides(LENGTH, "right", "mixed", TARGETS),
        "labels": labels(1),
    }
    peer.check(*pair(NAME), inputs)


def test_loss_is_zero_where_every_label_is_ignored():
    ours, _ = pair(NAME)
    values = np.full((BATCH, TARGETS), peer.IGNORED, "int32")
    found = ours(**document(LENGTH), labels=values)
    assert float(peer.to_numpy(found.loss)) == 0.0
    assert np.isfinite(peer.to_numpy(found.logits)).all()


def test_labels_are_not_written_to():
    ours, _ = pair(NAME)
    values = labels(2)
    before = values.copy()
    ours(**document(LENGTH), labels=values)
    np.testing.assert_array_equal(values, before)


def test_decoder_ids_default_to_the_shifted_document():
    inputs = document(LENGTH, "right", "mixed")
    peer.check(*pair(NAME), {**inputs, "use_cache": False})


def test_decoder_ids_from_labels_equal_the_peers():
    ours, other = pair(NAME)
    values = labels(2)
    import torch

    expected = other.prepare_decoder_input_ids_from_labels(
        torch.from_numpy(values).long()
    )
    found = ours.prepare_decoder_input_ids_from_labels(values)
    np.testing.assert_array_equal(peer.to_numpy(found), expected.numpy())
    assert (expected[1] == 1).sum() == 1  # an ignored label became padding


def test_untied_tables_are_four_tables():
    model = pair(NAME, tie_word_embeddings=False)
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    peer.check(*model, {**inputs, "labels": labels(1)})


def test_first_argument_may_be_a_dict_or_positions():
    ours, _ = pair(NAME)
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    expected = peer.to_numpy(ours(**inputs).logits)
    for found in (
        ours(inputs),
        ours(inputs, use_cache=False),
        ours(input_ids=inputs),
        ours(
            inputs["input_ids"],
            inputs["attention_mask"],
            inputs["decoder_input_ids"],
            global_attention_mask=inputs["global_attention_mask"],
        ),
    ):
        np.testing.assert_array_equal(peer.to_numpy(found.logits), expected)


def test_tuple_output_starts_with_the_loss():
    ours, _ = pair(NAME)
    inputs = {**document(LENGTH), "labels": labels()}
    output = ours(**inputs)
    as_tuple = ours(**inputs, return_dict=False)
    for index, name in enumerate(
        ("loss", "logits", "encoder_last_hidden_state")
    ):
        np.testing.assert_array_equal(
            peer.to_numpy(as_tuple[index]), peer.to_numpy(output[name])
        )
        np.testing.assert_array_equal(
            peer.to_numpy(output[index]), peer.to_numpy(output[name])
        )
    assert len(as_tuple) == 3


@pytest.mark.parametrize("form", ["object", "tuple", "all", "tensor"])
def test_encoder_outputs_can_be_used_again_and_again(form):
    ours, _ = pair(NAME)
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    ids = inputs.pop("decoder_input_ids")
    expected = ours(**inputs, decoder_input_ids=ids, output_hidden_states=True)
    encoder_outputs = ours.get_encoder()(**inputs, output_hidden_states=True)
    before = peer.to_numpy(encoder_outputs.last_hidden_state)
    given = {
        "object": encoder_outputs,
        "tuple": (encoder_outputs.last_hidden_state,),
        "all": encoder_outputs.to_tuple(),
        "tensor": encoder_outputs.last_hidden_state,
    }[form]
    for _ in range(2):
        found = ours(
            encoder_outputs=given,
            attention_mask=inputs["attention_mask"],
            decoder_input_ids=ids,
        )
        np.testing.assert_allclose(
            peer.to_numpy(found.logits),
            peer.to_numpy(expected.logits),
            atol=1e-6,
        )
    np.testing.assert_array_equal(
        peer.to_numpy(encoder_outputs.last_hidden_state), before
    )
    if form in ("object", "all"):
        assert len(found.encoder_hidden_states) == 3


def test_decoder_alone_equals_the_whole_model():
    ours, _ = pair("LEDModel")
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    expected = ours(**inputs, use_cache=False)
    found = ours.get_decoder()(
        inputs["decoder_input_ids"],
        encoder_hidden_states=expected.encoder_last_hidden_state,
        encoder_attention_mask=inputs["attention_mask"],
        use_cache=False,
    )
    np.testing.assert_allclose(
        peer.to_numpy(found.last_hidden_state),
        peer.to_numpy(expected.last_hidden_state),
        atol=1e-6,
    )


def test_embedding_accessors():
    ours, _ = pair(NAME, seed=1)
    table = ours.get_input_embeddings()
    assert tuple(table.embeddings.shape) == (37, 24)
    assert ours.get_output_embeddings() is not None
    assert pair("LEDModel")[0].get_output_embeddings() is None
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    before = peer.to_numpy(ours(**inputs).logits)
    values = keras.ops.convert_to_numpy(table.embeddings)
    ours.set_input_embeddings(values[::-1].copy())
    assert np.abs(peer.to_numpy(ours(**inputs).logits) - before).max() > 0.1
    ours.set_input_embeddings(values)
    np.testing.assert_array_equal(peer.to_numpy(ours(**inputs).logits), before)


@pytest.mark.parametrize("tied", [True, False])
def test_resized_vocabulary(tied, tmp_path):
    ours, other = pair(NAME, seed=2, tie_word_embeddings=tied)
    inputs = both_sides(LENGTH, "right", "mixed", TARGETS)
    expected = peer.call_peer(other, **inputs).logits.numpy()
    fresh = peer.load_ours(other, tmp_path / "peer")
    table = fresh.resize_token_embeddings(41)
    assert table.embeddings.shape[0] == fresh.config.vocab_size == 41
    found = peer.to_numpy(fresh(**inputs).logits)
    assert found.shape == (BATCH, TARGETS, 41)
    np.testing.assert_allclose(found[..., :37], expected, atol=peer.TOLERANCE)
    inputs["input_ids"][0, 0] = 40  # a new token works
    assert np.isfinite(peer.to_numpy(fresh(**inputs).logits)).all()
    fresh.save_pretrained(tmp_path / "ours")
    again = type(fresh).from_pretrained(tmp_path / "ours")
    assert again.config.vocab_size == 41
    np.testing.assert_allclose(
        peer.to_numpy(again(**inputs).logits),
        peer.to_numpy(fresh(**inputs).logits),
        atol=1e-6,
    )
    fresh.resize_token_embeddings(30)
    inputs = {
        name: np.minimum(value, 29) if name.endswith("ids") else value
        for name, value in inputs.items()
    }
    expected = peer.call_peer(other, **inputs).logits.numpy()[..., :30]
    np.testing.assert_allclose(
        peer.to_numpy(fresh(**inputs).logits), expected, atol=peer.TOLERANCE
    )
    assert fresh.resize_token_embeddings(pad_to_multiple_of=8) is not None
    assert fresh.config.vocab_size == 32

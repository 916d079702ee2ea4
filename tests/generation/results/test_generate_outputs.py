"""`return_dict_in_generate`: every field of the peer's output object."""

import numpy as np
import pytest

from tests import peer
from tests.generation.pairs import check
from tests.generation.pairs import documents
from tests.generation.pairs import generate_theirs
from tests.generation.pairs import models

EVERYTHING = {
    "output_scores": True,
    "output_logits": True,
    "output_attentions": True,
    "output_hidden_states": True,
}
PROMPT = np.array([[2, 5, 6], [2, 7, 8], [2, 9, 9]])
# The peer's encoder shows its own padding to a multiple of the window.
DOCUMENTS = {"length": 12, "padding": "right", "spread": "mixed"}


@pytest.mark.parametrize("cached", [True, False], ids=["cache", "no-cache"])
@pytest.mark.parametrize("prompt", [None, PROMPT], ids=["start", "prompt"])
@pytest.mark.parametrize("beams", [1, 3])
def test_all_fields(beams, prompt, cached):
    theirs, ours = models()
    options = {"num_beams": beams, "max_length": 8, "repetition_penalty": 1.3}
    options.update(EVERYTHING, use_cache=cached)
    if prompt is not None:
        options["decoder_input_ids"] = prompt
    inputs = documents(**DOCUMENTS)
    their_options = dict(options)
    del their_options["output_scores"]
    expected = peer.peer_fields(
        generate_theirs(theirs, inputs, **their_options)
    )
    expected.pop("past_key_values", None)
    expected["encoder_attentions"] = tuple(expected["encoder_attentions"])
    found = ours.generate(**inputs, return_dict_in_generate=True, **options)
    peer.compare(found, expected)


@pytest.mark.parametrize(
    "counts", [None, (0, 0, 0), (3, 1, 0), (5, 5, 2)], ids=str
)
def test_encoder_attentions_have_a_column_for_each_global_token(counts):
    theirs, ours = models()
    inputs = documents(padding="right", spread="absent")
    if counts is not None:
        wide = np.arange(11) < np.array(counts)[:, None]
        inputs["global_attention_mask"] = wide[:, ::-1].astype("int32")
        inputs["attention_mask"][:] = 1
    inputs = {k: v for k, v in inputs.items() if v is not None}
    options = {"max_length": 4, "output_attentions": True}
    found = ours.generate(**inputs, return_dict_in_generate=True, **options)
    expected = generate_theirs(theirs, inputs, **options)
    window = ours.config.attention_windows[0]
    assert found.encoder_attentions[0].shape[-1] == (
        max(counts or (0,)) + window + 1
    )
    names = ("encoder_attentions", "decoder_attentions", "cross_attentions")
    for name in names:
        theirs_now = peer.to_numpy(tuple(expected[name]))
        ours_now = peer.to_numpy(found[name])
        pairs = zip(
            peer.flatten(name, ours_now),
            peer.flatten(name, theirs_now),
            strict=True,
        )
        for (_, one), (_, two) in pairs:
            np.testing.assert_allclose(one, two, atol=peer.TOLERANCE)


def test_an_attention_mask_of_two_makes_tokens_global():
    inputs = documents(spread="absent")
    inputs["attention_mask"][0, [2, 5, 7]] = 2
    found, _ = check({"num_beams": 2, "max_length": 14}, inputs=inputs)
    inputs["attention_mask"][inputs["attention_mask"] == 2] = 1
    _, ours = models()
    plain = ours.generate(**inputs, num_beams=2, max_length=14)
    assert not np.array_equal(
        peer.to_numpy(found.sequences), peer.to_numpy(plain)
    )


def test_an_early_end_keeps_the_fields_in_step():
    theirs, ours = models()
    inputs = documents()
    inputs = {name: value[2:] for name, value in inputs.items()}
    options = {"num_beams": 2, "max_length": 16, **EVERYTHING}
    found = ours.generate(**inputs, return_dict_in_generate=True, **options)
    del options["output_scores"]
    expected = generate_theirs(theirs, inputs, **options)
    assert len(expected.scores) < 15
    for name in ("scores", "logits", "decoder_attentions"):
        assert len(found[name]) == len(expected[name])


def test_transition_scores():
    theirs, ours = models()
    options = {"max_length": 14, "num_beams": 3, "num_return_sequences": 2}
    inputs = documents()
    found = ours.generate(
        **inputs, return_dict_in_generate=True, output_scores=True, **options
    )
    expected = generate_theirs(theirs, inputs, **options)
    arguments = (found.sequences, found.scores, found.beam_indices)
    scores = ours.compute_transition_scores(*arguments)
    np.testing.assert_allclose(
        scores,
        theirs.compute_transition_scores(
            expected.sequences, expected.scores, expected.beam_indices
        ).numpy(),
        atol=1e-4,
    )
    length = (peer.to_numpy(found.beam_indices) >= 0).sum(axis=1)
    np.testing.assert_allclose(
        scores.sum(axis=1) / length,
        peer.to_numpy(found.sequences_scores),
        atol=1e-4,
    )


@pytest.mark.parametrize("normalize", [False, True])
def test_transition_scores_of_greedy_search(normalize):
    theirs, ours = models()
    inputs = documents()
    found = ours.generate(
        **inputs, return_dict_in_generate=True, output_scores=True, max_length=9
    )
    expected = generate_theirs(theirs, inputs, max_length=9)
    np.testing.assert_allclose(
        ours.compute_transition_scores(
            found.sequences, found.scores, normalize_logits=normalize
        ),
        theirs.compute_transition_scores(
            expected.sequences, expected.scores, normalize_logits=normalize
        ).numpy(),
        atol=1e-4,
    )
    with pytest.raises(ValueError, match=r"`scores` .*scores=None\."):
        ours.compute_transition_scores(found.sequences, None)


def test_beam_scores_come_without_the_scores_of_each_step():
    found, _ = check({"num_beams": 3, "max_length": 14})
    assert list(found.keys()) == [
        "sequences",
        "sequences_scores",
        "beam_indices",
    ]


def test_plain_output_is_the_sequences():
    _, ours = models()
    options = {"num_beams": 3, "max_length": 14}
    plain = ours.generate(**documents(), **options)
    whole = ours.generate(
        **documents(), return_dict_in_generate=True, **options
    )
    np.testing.assert_array_equal(
        peer.to_numpy(plain), peer.to_numpy(whole.sequences)
    )


def test_head_masks():
    """Masking all heads but one equals zeroing their output projections."""
    import torch

    theirs, ours = models()
    inputs = documents()
    masks = {
        "head_mask": np.array([[1, 0, 0, 1]], "float32"),
        "decoder_head_mask": np.array([[1, 0, 1], [0, 1, 1]], "float32"),
        "cross_attn_head_mask": np.array([[0, 1, 1], [1, 1, 0]], "float32"),
    }
    found = ours.generate(**inputs, **masks, num_beams=3, max_length=10)
    before = {k: v.clone() for k, v in theirs.state_dict().items()}
    with torch.no_grad():
        encoder = [
            layer.self_attn.output for layer in theirs.led.encoder.layers
        ]
        decoder = theirs.led.decoder.layers
        for projections, mask in (
            (encoder, masks["head_mask"]),
            (
                [layer.self_attn.out_proj for layer in decoder],
                masks["decoder_head_mask"],
            ),
            (
                [layer.encoder_attn.out_proj for layer in decoder],
                masks["cross_attn_head_mask"],
            ),
        ):
            for projection, row in zip(projections, mask, strict=True):
                size = projection.weight.shape[1] // len(row)
                columns = torch.from_numpy(row).repeat_interleave(size)
                projection.weight.mul_(columns)
        expected = generate_theirs(theirs, inputs, num_beams=3, max_length=10)
        theirs.load_state_dict(before)
    plain = ours.generate(**inputs, num_beams=3, max_length=10)
    np.testing.assert_array_equal(
        peer.to_numpy(found), expected.sequences.numpy()
    )
    assert not np.array_equal(peer.to_numpy(found), peer.to_numpy(plain))


@pytest.mark.parametrize("beams", [1, 3])
def test_encoder_outputs_of_a_real_model(beams):
    theirs, ours = models()
    inputs = documents()
    options = {"num_beams": beams, "max_length": 14}
    encoded = ours.get_encoder()(**inputs)
    given = {"attention_mask": inputs["attention_mask"]}
    found = ours.generate(encoder_outputs=encoded, **given, **options)
    again = ours.generate(encoder_outputs=encoded, **given, **options)
    expected = generate_theirs(theirs, inputs, **options)
    for output in (found, again):
        np.testing.assert_array_equal(
            peer.to_numpy(output), expected.sequences.numpy()
        )

"""`past_key_values`, returned by `generate` and given to it."""

import numpy as np
import pytest

from tests import peer
from tests.generation.pairs import documents
from tests.generation.pairs import generate_ours
from tests.generation.pairs import generate_theirs
from tests.generation.pairs import models

OPTIONS = {"eos_token_id": -1, "pad_token_id": -1}


def assert_equal_pasts(found, expected):
    pairs = zip(
        peer.flatten("", peer.to_numpy(found)),
        peer.flatten("", peer.to_numpy(expected)),
        strict=True,
    )
    for (_, one), (_, two) in pairs:
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.parametrize("steps", [False, True], ids=["loop", "steps"])
def test_generation_goes_on_from_it(steps):
    theirs, ours = models()
    inputs = documents()
    options = {**OPTIONS, "output_scores": steps}
    whole = generate_theirs(theirs, inputs, **OPTIONS, max_new_tokens=6)
    first = generate_ours(ours, inputs, **options, max_new_tokens=3)
    expected = generate_theirs(theirs, inputs, **OPTIONS, max_new_tokens=3)
    assert_equal_pasts(first.past_key_values, expected.past_key_values)
    assert first["past_key_values"] is first.past_key_values
    rest = generate_ours(
        ours,
        inputs,
        **options,
        past_key_values=first.past_key_values,
        decoder_input_ids=peer.to_numpy(first.sequences).astype("int32"),
        max_new_tokens=3,
    )
    np.testing.assert_array_equal(
        peer.to_numpy(rest.sequences), whole.sequences.numpy()
    )
    assert_equal_pasts(rest.past_key_values, whole.past_key_values)
    if steps:
        scores = peer.to_numpy((*first.scores, *rest.scores))
        np.testing.assert_allclose(
            scores, peer.to_numpy(tuple(whole.scores)), atol=1e-4
        )


def test_what_it_says_of_the_tokens_is_used():
    _, ours = models()
    inputs = documents()
    first = generate_ours(ours, inputs, **OPTIONS, max_new_tokens=3)
    other = [
        (-3.0 * own[0], -3.0 * own[1], *own[2:])
        for own in first.past_key_values
    ]
    prompt = peer.to_numpy(first.sequences).astype("int32")
    found, changed = (
        ours.generate(
            **inputs,
            **OPTIONS,
            decoder_input_ids=prompt,
            past_key_values=past,
            max_new_tokens=4,
        )
        for past in (first.past_key_values, other)
    )
    assert not np.array_equal(peer.to_numpy(found), peer.to_numpy(changed))


def test_several_sequences_of_a_document():
    _, ours = models()
    inputs = documents()
    found = generate_ours(
        ours,
        inputs,
        do_sample=True,
        num_return_sequences=2,
        seed=4,
        max_length=8,
    )
    sequences = peer.to_numpy(found.sequences).astype("int32")
    own, _, document, _ = found.past_key_values[0]
    assert own.shape[:3] == (6, 3, sequences.shape[1] - 1)
    assert document.shape[:3] == (6, 3, 11)
    repeated = {k: np.repeat(v, 2, axis=0) for k, v in inputs.items()}
    repeated.pop("global_attention_mask")
    step = ours(
        attention_mask=repeated["attention_mask"],
        decoder_input_ids=sequences[:, -1:],
        past_key_values=found.past_key_values,
    )
    whole = ours(
        encoder_outputs=np.repeat(
            peer.to_numpy(ours.get_encoder()(**inputs)[0]), 2, axis=0
        ),
        attention_mask=repeated["attention_mask"],
        decoder_input_ids=np.maximum(sequences, 0),
    )
    np.testing.assert_allclose(
        peer.to_numpy(step.logits)[:, 0],
        peer.to_numpy(whole.logits)[:, -1],
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_beams": 2}, "one sequence a document.*beam search"),
        ({"use_cache": False}, "use_cache=False"),
        ({"decoder_input_ids": np.full((3, 1), 2)}, "fewer tokens than the 1"),
        ({"past_key_values": []}, "Received: 0 layers"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_an_error(options, message):
    _, ours = models()
    key = np.zeros((3, 3, 2, 8), "float32")
    given = {
        "past_key_values": [(key,) * 4] * 2,
        "decoder_input_ids": np.full((3, 3), 2),
        **options,
    }
    with pytest.raises(ValueError, match=f"`past_key_values` .*{message}"):
        ours.generate(**documents(), **given, max_length=8)

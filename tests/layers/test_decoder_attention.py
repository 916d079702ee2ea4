"""Attention of the decoder against dense attention in numpy."""

import numpy as np
import pytest
from keras import ops

from keras_led.layers.decoder_attention import DecoderAttention
from tests.attention import reference

DOCUMENTS, BEAMS, LENGTH, KEYS, HEADS, DIM = 2, 3, 5, 7, 2, 12
ROWS = DOCUMENTS * BEAMS
HIDDEN = reference.draw(0, ROWS, LENGTH, DIM)
DOCUMENT = reference.draw(1, DOCUMENTS, KEYS, DIM)
# Which keys of a document are real tokens.
REAL = np.ones((DOCUMENTS, KEYS), bool)
REAL[1, 4:] = False


@pytest.fixture(scope="module")
def layer():
    """The layer with weights drawn here, biases too."""
    made = DecoderAttention(DIM, HEADS, dropout=0.5)
    made.build()
    for seed, variable in enumerate(made.weights):
        variable.assign(0.4 * reference.draw(seed, *variable.shape))
    return made


def expected_of(layer, hidden, document, pairs):
    """Context and weights of `(R, T, D)` queries; a document for each row."""

    def project(name, x):
        kernel, bias = map(ops.convert_to_numpy, getattr(layer, name).weights)
        return x.astype("float64") @ kernel + bias

    query = project("q_proj", hidden) * (DIM // HEADS) ** -0.5
    context, weights = reference.attend(
        reference.split(query, HEADS),
        reference.split(project("k_proj", document), HEADS),
        reference.split(project("v_proj", document), HEADS),
        pairs,
    )
    return project("out_proj", reference.merge(context)), weights


def numpy_of(layer, hidden, document, mask, **options):
    pair = layer.keys_and_values(ops.convert_to_tensor(document))
    found = layer(
        ops.convert_to_tensor(hidden),
        keys_and_values=pair,
        attention_mask=ops.convert_to_tensor(mask),
        **options,
    )
    return [None if x is None else ops.convert_to_numpy(x) for x in found]


def test_own_tokens_are_seen_up_to_each(layer):
    causal = np.tril(np.ones((LENGTH, LENGTH), bool))
    context, weights = numpy_of(
        layer, HIDDEN, HIDDEN, causal[None, None], output_attentions=True
    )
    pairs = np.broadcast_to(causal, (ROWS, LENGTH, LENGTH))
    expected = expected_of(layer, HIDDEN, HIDDEN, pairs)
    np.testing.assert_allclose(context, expected[0], atol=2e-5)
    np.testing.assert_allclose(weights, expected[1], atol=1e-5)


def test_beams_share_the_keys_of_their_document(layer):
    mask = REAL[:, None, None, :]
    context, weights = numpy_of(
        layer, HIDDEN, DOCUMENT, mask, output_attentions=True
    )
    pairs = np.broadcast_to(mask[:, 0], (DOCUMENTS, LENGTH, KEYS))
    expected = expected_of(
        layer,
        HIDDEN,
        np.repeat(DOCUMENT, BEAMS, axis=0),
        np.repeat(pairs, BEAMS, axis=0),
    )
    assert weights.shape == (ROWS, HEADS, LENGTH, KEYS)
    np.testing.assert_allclose(context, expected[0], atol=2e-5)
    np.testing.assert_allclose(weights, expected[1], atol=1e-5)


def test_weights_are_kept_only_when_asked_for(layer):
    context, weights = numpy_of(layer, HIDDEN, DOCUMENT, REAL[:, None, None, :])
    asked, _ = numpy_of(
        layer,
        HIDDEN,
        DOCUMENT,
        REAL[:, None, None, :],
        output_attentions=True,
    )
    assert weights is None
    np.testing.assert_allclose(context, asked, atol=2e-5)


def test_a_head_mask_scales_the_weights_of_each_head(layer):
    mask = REAL[:, None, None, :]
    head_mask = np.array([0.0, 0.25], "float32")
    found = numpy_of(
        layer,
        HIDDEN,
        DOCUMENT,
        mask,
        head_mask=ops.convert_to_tensor(head_mask),
        output_attentions=True,
    )
    _, plain = numpy_of(layer, HIDDEN, DOCUMENT, mask, output_attentions=True)
    expected = plain * head_mask[:, None, None]
    np.testing.assert_allclose(found[1], expected, atol=1e-6)
    none, _ = numpy_of(
        layer,
        HIDDEN,
        DOCUMENT,
        mask,
        head_mask=ops.zeros((HEADS,)),
    )
    # Nothing is left but the bias of the output.
    bias = ops.convert_to_numpy(layer.out_proj.bias)
    np.testing.assert_allclose(none, np.broadcast_to(bias, none.shape))


def test_weights_are_those_before_dropout(layer):
    mask = REAL[:, None, None, :]
    seed = ops.convert_to_tensor(np.array([1, 2], "uint32"))
    dropped = numpy_of(
        layer, HIDDEN, DOCUMENT, mask, seed=seed, output_attentions=True
    )
    plain = numpy_of(layer, HIDDEN, DOCUMENT, mask, output_attentions=True)
    np.testing.assert_allclose(dropped[1], plain[1], atol=1e-6)
    assert np.abs(dropped[0] - plain[0]).max() > 1e-2


def test_a_layer_comes_back_from_its_config(layer):
    again = DecoderAttention.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.d_model, again.num_heads, again.dropout) == (DIM, HEADS, 0.5)

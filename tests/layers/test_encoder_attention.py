"""Self-attention of the encoder against dense attention in numpy."""

import numpy as np
import pytest
from keras import ops

from keras_led.attention.global_tokens import GlobalTokens
from keras_led.attention.global_tokens import find_slots
from keras_led.layers.encoder_attention import EncoderSelfAttention
from keras_led.layers.encoder_masks import EncoderMasks
from tests.attention import reference

BATCH, LENGTH, HEADS, DIM, WINDOW = 4, 13, 3, 15, 6
NAMES = ("query", "key", "value")
NAMES += tuple(f"{name}_global" for name in NAMES)

PADDING = np.ones((BATCH, LENGTH), bool)
PADDING[1, 9:] = False
PADDING[2, :4] = False
GLOBAL = np.zeros((BATCH, LENGTH), bool)
GLOBAL[0, [0, 1, 7]] = True  # two neighbors, and one within no window of them
GLOBAL[1, 3] = True
GLOBAL[2, [4, 12]] = True  # and the last document has none
HIDDEN = reference.draw(0, BATCH, LENGTH, DIM)


@pytest.fixture(scope="module")
def layer():
    """The layer with weights drawn here, biases too."""
    made = EncoderSelfAttention(DIM, HEADS, WINDOW, dropout=0.5)
    made.build()
    for seed, variable in enumerate(made.weights):
        variable.assign(0.4 * reference.draw(seed, *variable.shape))
    return made


def weights_of(layer):
    inner = layer.longformer_self_attn
    return {
        name: tuple(
            ops.convert_to_numpy(weight)
            for weight in getattr(inner, name).weights
        )
        for name in NAMES
    }


def masks_of(mask):
    roles = ops.convert_to_tensor(PADDING), ops.convert_to_tensor(mask)
    return EncoderMasks.make(roles, len(mask), exact=True)


def numpy_of(layer, masks, **options):
    found = layer(ops.convert_to_tensor(HIDDEN), masks=masks, **options)
    return [None if x is None else ops.convert_to_numpy(x) for x in found]


@pytest.mark.parametrize("mask", [GLOBAL, GLOBAL & False], ids=["few", "none"])
def test_context_is_that_of_dense_attention(layer, mask):
    context, *weights = numpy_of(layer, masks_of(mask))
    expected = reference.encoder_self_attention(
        HIDDEN, weights_of(layer), HEADS, WINDOW, PADDING, mask
    )
    np.testing.assert_allclose(context, expected, atol=2e-5)
    assert weights == [None, None]


def test_global_tokens_without_a_slot_count_too(layer):
    mask = ops.convert_to_tensor(GLOBAL)
    tokens = GlobalTokens(
        mask, find_slots(mask, 2), ops.convert_to_tensor(False)
    )
    masks = EncoderMasks(ops.convert_to_tensor(PADDING), tokens, 2)
    context, *_ = numpy_of(layer, masks)
    expected, *_ = numpy_of(layer, masks_of(GLOBAL))
    np.testing.assert_allclose(context, expected, atol=2e-5)


def test_weights_are_laid_out_as_in_hugging_face(layer):
    _, weights, global_weights = numpy_of(
        layer, masks_of(GLOBAL), output_attentions=True
    )
    x, kernels = HIDDEN.astype("float64"), weights_of(layer)

    def project(name):
        kernel, bias = kernels[name]
        return reference.split(x @ kernel + bias, HEADS)

    scale = (DIM // HEADS) ** -0.5
    pairs = reference.local_pairs(PADDING & ~GLOBAL, GLOBAL, WINDOW)
    _, dense = reference.attend(
        project("query") * scale, project("key"), project("value"), pairs
    )
    local = (PADDING & ~GLOBAL)[:, None, :, None]
    expected = reference.window_layout(dense * local, GLOBAL, WINDOW)
    assert weights.shape == (BATCH, HEADS, LENGTH, 3 + WINDOW + 1)
    np.testing.assert_allclose(weights, expected, atol=1e-5)

    every = np.broadcast_to(PADDING[:, None, :], (BATCH, LENGTH, LENGTH))
    _, whole = reference.attend(
        project("query_global") * scale,
        project("key_global"),
        project("value_global"),
        every,
    )
    assert global_weights.shape == (BATCH, HEADS, LENGTH, 3)
    for document, mask in enumerate(GLOBAL):
        found = global_weights[document].swapaxes(1, 2)
        rows = whole[document][:, np.flatnonzero(mask)]
        np.testing.assert_allclose(found[:, : mask.sum()], rows, atol=1e-5)
        assert not found[:, mask.sum() :].any()


def test_a_head_mask_scales_context_and_weights_of_each_head(layer):
    head_mask = np.array([1.0, 0.0, 0.25], "float32")
    masks = masks_of(GLOBAL)
    plain = numpy_of(layer, masks, output_attentions=True)
    masked = numpy_of(
        layer,
        masks,
        head_mask=ops.convert_to_tensor(head_mask),
        output_attentions=True,
    )
    by_head = reference.split(plain[0], HEADS) * head_mask[:, None, None]
    found = reference.split(masked[0], HEADS)
    np.testing.assert_allclose(found, by_head, atol=1e-6)
    for before, after in zip(plain[1:], masked[1:], strict=True):
        expected = before * head_mask[:, None, None]
        np.testing.assert_allclose(after, expected, atol=1e-6)


def test_dropout_is_drawn_from_the_seed_alone(layer):
    def context(seed):
        seed = ops.convert_to_tensor(np.array(seed, "uint32"))
        return numpy_of(layer, masks_of(GLOBAL), seed=seed)[0]

    first = context([1, 2])
    np.testing.assert_array_equal(context([1, 2]), first)
    # In rows of local and of global tokens.
    changed = np.abs(context([3, 2]) - first).max(axis=-1) > 1e-3
    assert changed[PADDING & GLOBAL].any() and changed[PADDING & ~GLOBAL].any()
    assert not first[~PADDING].any()


def test_a_layer_comes_back_from_its_config(layer):
    again = EncoderSelfAttention.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    inner = again.longformer_self_attn
    assert (inner.num_heads, inner.attention_window) == (HEADS, WINDOW)
    assert inner.dropout == 0.5

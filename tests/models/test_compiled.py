"""Compiled encoders: masks are data, shapes are static, results are exact."""

import functools

import keras
import numpy as np
import pytest

from keras_led import backend
from tests import peer
from tests.models.pairs import BATCH
from tests.models.pairs import document
from tests.models.pairs import pair

LENGTH = 19
BACKEND = keras.backend.backend()


def compile_encoder(ours):
    """The encoder under XLA (`torch`: no trace, the eager encoder)."""

    def function(input_ids, attention_mask, global_attention_mask):
        return ours.encode(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            output_hidden_states=True,
        )

    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)
    return backend.jit(function, ours)


@functools.cache
def compiled(window):
    """Our compiled encoder with three slots, the peer's, and the traces."""
    ours, other = pair("LEDForConditionalGeneration", attention_window=window)
    assert ours.max_global_tokens == 3
    return compile_encoder(ours), other.get_encoder()


def masks_of(count):
    """Row `b` has `count - b` global tokens (0 at least), one row is padded."""
    mask = np.zeros((BATCH, LENGTH), "int32")
    random = np.random.default_rng(count)
    for row in range(BATCH):
        chosen = random.permutation(LENGTH)[: max(0, count - row)]
        mask[row, chosen] = 1
    return mask


# Up to 3 tokens have a slot; from 4 on, the branch for more must be as exact.
@pytest.mark.parametrize("count", [0, 1, 3, 4, 7, LENGTH])
def test_any_number_of_global_tokens_is_exact(count):
    call, other = compiled((4, 8))
    inputs = document(LENGTH, "right", "absent")
    inputs["global_attention_mask"] = masks_of(count)
    found = call(*inputs.values())
    expected = peer.call_peer(other, **inputs, output_hidden_states=True)
    for left, right in zip(
        (*found.hidden_states, found.last_hidden_state),
        (*expected.hidden_states, expected.last_hidden_state),
        strict=True,
    ):
        np.testing.assert_allclose(
            peer.to_numpy(left), peer.to_numpy(right), atol=peer.TOLERANCE
        )


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs eagerly")
@pytest.mark.parametrize("count", [2, 3, 4])
def test_attentions_of_a_trace_are_exact_or_not_a_number(count):
    ours, call = compiled_with_attentions()
    inputs = document(LENGTH, "right", "absent")
    inputs["global_attention_mask"] = masks_of(count)
    found = call(*inputs.values())
    expected = ours.encode(**inputs, output_attentions=True)
    np.testing.assert_allclose(
        peer.to_numpy(found.last_hidden_state),
        peer.to_numpy(expected.last_hidden_state),
        atol=peer.TOLERANCE,
    )
    for left, right in zip(found.attentions, expected.attentions, strict=True):
        left, right = peer.to_numpy(left), peer.to_numpy(right)
        if count > 3:
            assert np.isnan(left).all()
            continue
        # Slots that no token of the batch needs come last of the three.
        used = 3 - (left.shape[-1] - right.shape[-1])
        assert 0 < used <= count
        assert not left[..., used:3].any()
        left = np.delete(left, range(used, 3), axis=-1)
        np.testing.assert_allclose(left, right, atol=peer.TOLERANCE)


@functools.cache
def compiled_with_attentions():
    """Our model, and its encoder compiled to show attentions."""
    ours, _ = pair("LEDForConditionalGeneration", attention_window=(4, 8))

    def function(input_ids, attention_mask, global_attention_mask):
        return ours.encode(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
            output_attentions=True,
        )

    return ours, backend.jit(function, ours)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs eagerly")
def test_one_program_serves_every_mask():
    ours, _ = pair("LEDForConditionalGeneration", attention_window=(4, 8))
    traces = []
    encode = ours.encode

    class Counting:
        variables = ours.variables

        def encode(self, *args, **kwargs):
            traces.append(1)
            return encode(*args, **kwargs)

    call = compile_encoder(Counting())
    inputs = document(LENGTH, "right", "absent")
    for count in (0, 2, 9):
        inputs["global_attention_mask"] = masks_of(count)
        call(*[keras.ops.convert_to_tensor(x) for x in inputs.values()])
    assert len(traces) == 1


@pytest.mark.skipif(BACKEND != "tensorflow", reason="shapes of tf.function")
def test_one_graph_serves_every_length_and_batch():
    import tensorflow as tf

    ours, other = pair("LEDModel", attention_window=(4, 8))

    @tf.function(
        input_signature=[tf.TensorSpec((None, None), tf.int32)] * 3,
        autograph=False,
    )
    def call(input_ids, attention_mask, global_attention_mask):
        return ours.encode(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
        ).last_hidden_state

    for length, batch, wide in (
        (1, 2, "first"),
        (7, 3, "mixed"),
        (23, 1, "all"),
    ):
        inputs = document(length, "right", wide, batch)
        expected = peer.call_peer(other.encoder, **inputs).last_hidden_state
        np.testing.assert_allclose(
            call(*inputs.values()).numpy(),
            expected.numpy(),
            atol=peer.TOLERANCE,
        )


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs eagerly")
def test_inputs_from_outside_the_program_do_as_arguments_do():
    ours, _ = pair("LEDForConditionalGeneration", attention_window=(4, 8))
    inputs = {
        **document(LENGTH, "right", "mixed"),
        "labels": peer.token_ids(BATCH, 6, seed=2),
    }
    tensors = {k: keras.ops.convert_to_tensor(v) for k, v in inputs.items()}
    expected = peer.to_numpy(ours(**tensors).loss)
    for held in (tensors, inputs):

        def loss(scale, held=held):
            return scale * ours(**held).loss

        found = backend.jit(loss, ours)(keras.ops.convert_to_tensor(1.0))
        np.testing.assert_allclose(
            peer.to_numpy(found), expected, atol=peer.LOSS_TOLERANCE
        )

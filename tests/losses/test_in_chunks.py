import keras
import numpy as np
import pytest
from keras import ops

from keras_led.losses.in_chunks import chunked_language_modeling_loss
from keras_led.losses.model_losses import language_modeling_loss
from tests.gradients import gradients

HIDDEN, VOCABULARY = 8, 19


def arrays(batch, length):
    random = np.random.default_rng(3)
    hidden = random.normal(size=(batch, length, HIDDEN)).astype("float32")
    table = random.normal(size=(VOCABULARY, HIDDEN)).astype("float32")
    bias = random.normal(size=(1, VOCABULARY)).astype("float32")
    labels = random.integers(0, VOCABULARY, (batch, length)).astype("int32")
    labels[0, -2:] = -100
    return hidden, table, bias, labels


# One chunk; whole chunks; a last one that is filled up.
@pytest.mark.parametrize("chunk", [64, 5, 4])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_loss_and_gradients_equal_those_of_all_logits(chunk, smoothing):
    hidden, table, *others = arrays(2, 5)
    bias, labels = map(ops.convert_to_tensor, others)

    def plain(hidden, table):
        logits = ops.matmul(hidden, ops.transpose(table)) + bias
        return language_modeling_loss(logits, labels, smoothing)

    def chunked(hidden, table):
        # Times 3: the upstream gradient counts.
        return 3.0 * chunked_language_modeling_loss(
            hidden, table, bias, labels, smoothing, chunk
        )

    found = ops.convert_to_numpy(
        chunked(ops.convert_to_tensor(hidden), ops.convert_to_tensor(table))
    )
    expected = ops.convert_to_numpy(
        plain(ops.convert_to_tensor(hidden), ops.convert_to_tensor(table))
    )
    np.testing.assert_allclose(found, 3 * expected, rtol=1e-6)
    pairs = zip(
        gradients(chunked, hidden, table),
        gradients(plain, hidden, table),
        strict=True,
    )
    for value, wanted in pairs:
        np.testing.assert_allclose(value, 3 * wanted, atol=2e-6)


def test_smoothing_is_that_of_the_distribution():
    hidden, table, bias, labels = arrays(2, 5)
    logits = hidden @ table.T + bias[0]
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    even = np.eye(VOCABULARY)[labels % VOCABULARY] * 0.7 + 0.3 / VOCABULARY
    losses = -(even * logs).sum(-1)[labels != -100]
    found = language_modeling_loss(
        ops.convert_to_tensor(logits), ops.convert_to_tensor(labels), 0.3
    )
    np.testing.assert_allclose(float(found), losses.mean(), rtol=1e-5)


@pytest.mark.parametrize("chunk", [2, 8])
def test_nothing_but_ignored_labels_gives_no_gradient(chunk):
    hidden, table, bias, labels = arrays(1, 5)
    ignored = ops.convert_to_tensor(np.full_like(labels, -100))

    def loss(hidden, table):
        return chunked_language_modeling_loss(
            hidden, table, bias, ignored, chunk=chunk
        )

    for gradient in gradients(loss, hidden, table):
        assert not gradient.any()


def test_half_precision_is_close():
    hidden, table, *others = arrays(2, 5)
    bias, labels = map(ops.convert_to_tensor, others)

    def loss(dtype):
        def function(hidden, table):
            return chunked_language_modeling_loss(
                ops.cast(hidden, dtype), ops.cast(table, dtype), bias, labels
            )

        return function

    pairs = zip(
        gradients(loss("bfloat16"), hidden, table),
        gradients(loss("float32"), hidden, table),
        strict=True,
    )
    for found, expected in pairs:
        scale = np.abs(expected).max()
        assert np.abs(found - expected).max() < 4 * 2.0**-8 * scale


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="JAX and PyTorch know all shapes",
)
def test_lengths_that_a_graph_does_not_know():
    import tensorflow as tf

    hidden, table, bias, labels = arrays(3, 5)

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, HIDDEN)),
            tf.TensorSpec((None, None), "int32"),
        ]
    )
    def unknown(hidden, labels):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            loss = chunked_language_modeling_loss(
                hidden, tf.constant(table), bias, labels, chunk=4
            )
        return loss, tape.gradient(loss, hidden)

    for length in (1, 5):
        part, ids = hidden[:, :length], labels[:, :length]
        loss, gradient = unknown(part, ids)
        logits = ops.convert_to_tensor(part @ table.T + bias)
        expected = language_modeling_loss(logits, ops.convert_to_tensor(ids))
        np.testing.assert_allclose(loss, expected, rtol=1e-5)
        assert gradient.shape == part.shape
        assert np.all(np.isfinite(gradient))

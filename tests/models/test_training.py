import re

import keras
import numpy as np
import pytest
from keras import ops

import keras_led
from keras_led.data import Seq2SeqDataset
from tests import peer
from tests.data.tokenizers import byte_tokenizer
from tests.gradients import gradients_of_weights
from tests.models.pairs import BATCH
from tests.models.pairs import both_sides
from tests.models.pairs import document
from tests.models.pairs import load
from tests.models.pairs import pair
from tests.models.pairs import quick

LENGTH, TARGETS = 11, 6
NAME = "LEDForConditionalGeneration"


def batch(padding="right", wide="mixed"):
    labels = peer.token_ids(BATCH, TARGETS, seed=21)
    labels[1, 4:] = peer.IGNORED
    return {**document(LENGTH, padding, wide), "labels": labels}


def our_path(name, found):
    """The path of a weight of the peer's among the paths of ours."""
    owner, kind = name.rsplit(".", 1)
    owner = re.sub(r"layers\.(\d+)", r"layers_\1", owner).replace(".", "/")
    leaves = (
        ("bias", "beta")
        if kind == "bias"
        else (
            "kernel",
            "gamma",
            "embeddings",
        )
    )
    (path,) = [
        path
        for path in found
        for leaf in leaves
        if path.endswith(f"/{owner}/{leaf}")
    ]
    return path


def test_gradients_equal_the_peers():
    ours, other = pair(NAME)
    inputs = batch()
    found = gradients_of_weights(ours, inputs)
    other.zero_grad()
    other(**peer.to_torch(inputs)).loss.backward()
    for name, weight in other.named_parameters():
        path = our_path(name, found)
        value, expected = found.pop(path), weight.grad.numpy()
        if path.endswith("kernel"):
            expected = expected.T
        if name == "led.shared.weight":
            # PyTorch takes no gradient of the pad row as an input.
            value, expected = value[2:], expected[2:]
        np.testing.assert_allclose(
            value, expected, atol=1e-5, rtol=1e-4, err_msg=name
        )
    assert not found


@pytest.mark.skipif(
    keras.backend.backend() != "torch",
    reason="the batch is the same on all backends, and graphs build slowly",
)
def test_targets_without_bos_train_as_the_peer_does_given_both_sides():
    tokenizer = byte_tokenizer()
    ours, other = pair(NAME, vocab_size=len(tokenizer))
    rows = [("a document", "short"), ("another one", "a longer text")]
    inputs, labels = Seq2SeqDataset(
        rows,
        tokenizer,
        batch_size=2,
        max_source_tokens=32,
        strip_bos=True,
        shuffle=False,
    )[0]
    found = gradients_of_weights(ours, {**inputs, "labels": labels})
    # `</s> text` is read, `text </s>` is to be written.
    wanted = np.full(labels.shape, peer.IGNORED)
    read = np.full(labels.shape, tokenizer.pad_token_id)
    for row, (_, text) in enumerate(rows):
        ids = tokenizer.encode(text, add_special_tokens=False)
        wanted[row, : len(ids) + 1] = [*ids, 2]
        read[row, : len(ids) + 2] = [2, *ids, 2]
    other.zero_grad()
    arrays = {**inputs, "labels": wanted, "decoder_input_ids": read}
    other(**peer.to_torch(arrays)).loss.backward()
    for name, weight in other.named_parameters():
        if name.startswith("led.decoder.layers.1.") and "fc" in name:
            value = found[our_path(name, found)]
            expected = weight.grad.numpy()
            np.testing.assert_allclose(
                value,
                expected.T if expected.ndim == 2 else expected,
                atol=1e-5,
                rtol=1e-4,
                err_msg=name,
            )


@pytest.mark.parametrize("wide", ["absent", "mixed"])
def test_gradients_are_finite_with_a_fully_masked_row(wide):
    ours, _ = pair(NAME)
    found = gradients_of_weights(ours, batch("row", wide))
    for name, value in found.items():
        assert np.isfinite(value).all(), name


def test_gradients_are_zero_where_every_label_is_ignored():
    ours, _ = pair(NAME)
    inputs = batch()
    inputs["labels"][:] = peer.IGNORED
    for name, value in gradients_of_weights(ours, inputs).items():
        assert not value.any(), name


def test_recomputed_layers_have_the_same_gradients():
    ours, _ = pair(NAME)
    expected = gradients_of_weights(ours, batch())
    ours.gradient_checkpointing_enable()
    assert ours.is_gradient_checkpointing
    try:
        # Rematerialized only when training; the rates of dropout are 0 then.
        found = gradients_of_weights(
            without_dropout(ours), batch(), training=True
        )
    finally:
        ours.gradient_checkpointing_disable()
    for name, value in found.items():
        np.testing.assert_allclose(
            value, expected[name], atol=1e-5, rtol=1e-4, err_msg=name
        )


def without_dropout(model):
    """The same weights in a model whose dropout rates are all 0."""
    config = model.config.copy(dropout=0.0, attention_dropout=0.0)
    other = type(model)(config, name=model.name)
    for new, old in zip(other.weights, model.weights, strict=True):
        new.assign(old)
    if model.is_gradient_checkpointing:
        other.gradient_checkpointing_enable()
    return other


def test_dropout_acts_in_training_only():
    ours, _ = pair(NAME, dropout=0.3)
    inputs = {**both_sides(LENGTH, "right", "mixed")}
    still = quick(ours, use_cache=False)
    trained = quick(ours, use_cache=False, training=True)
    expected = peer.to_numpy(still(**inputs).logits)
    np.testing.assert_array_equal(
        peer.to_numpy(still(**inputs).logits), expected
    )
    first = peer.to_numpy(trained(**inputs).logits)
    assert np.abs(first - expected).max() > 0.01
    assert np.isfinite(first).all()


@pytest.mark.parametrize(
    "dtype", ["mixed_bfloat16", "mixed_float16", "bfloat16"]
)
@pytest.mark.parametrize("padding", ["right", "row"])
def test_low_precision_is_finite_and_close(dtype, padding):
    ours, other = pair(NAME)
    inputs = both_sides(LENGTH, padding, "mixed")
    expected = peer.call_peer(other, **inputs).logits.numpy()
    low = load(NAME, dtype)
    found = peer.to_numpy(quick(low, use_cache=False)(**inputs).logits)
    assert np.isfinite(found).all()
    scale = np.abs(expected).max()
    eps = 2.0**-11 if "float16" in dtype and "b" not in dtype else 2.0**-8
    # Errors of some dozens of roundings, relative to the largest logit: below
    # 16 on processors with AVX-512, below 17 without.
    assert np.abs(found - expected).max() < 20 * eps * scale


def test_losses_are_float32_under_low_precision():
    low = load(NAME, "mixed_float16")
    loss = quick(low)(**batch()).loss
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    expected = peer.call_peer(pair(NAME)[1], **batch()).loss.item()
    assert abs(float(ops.convert_to_numpy(loss)) - expected) < 0.02 * expected


def test_fit_lowers_the_loss_of_the_model_itself():
    config = {**peer.TINY, "encoder_layers": 1, "decoder_layers": 1}
    model = keras_led.LEDForConditionalGeneration(
        keras_led.LEDConfig(**{**config, "init_std": 0.2})
    )
    model.compile(keras.optimizers.Adam(1e-2))
    inputs = batch()
    labels = inputs.pop("labels")
    history = model.fit(inputs, labels, batch_size=BATCH, epochs=9, verbose=0)
    losses = history.history["loss"]
    assert len(losses) == 9
    assert losses[-1] < 0.8 * losses[0]

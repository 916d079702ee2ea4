"""Bias, embeddings, data sets: the methods around the call."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_led import LEDConfig
from keras_led import TFLEDModel
from tests import peer
from tests.tf.models import SMALL
from tests.tf.models import fresh

VOCABULARY = SMALL["vocab_size"]


def test_embeddings_and_bias_are_what_tensorflow_users_expect():
    model, bare = fresh(), fresh("TFLEDModel")
    for each in (model, bare):
        assert isinstance(each.get_input_embeddings(), keras.layers.Layer)
        assert each.base_model_prefix == "led"
    assert model.get_output_embeddings() is model.get_input_embeddings()
    assert bare.get_output_embeddings() is None
    assert bare.get_bias() is None
    with pytest.raises(AttributeError, match="TFLEDForConditionalGeneration"):
        bare.set_bias({"final_logits_bias": np.zeros((1, 3))})
    (variable,) = model.get_bias().values()
    assert isinstance(variable, tf.Variable)
    assert model.num_parameters() - model.num_parameters(True) == VOCABULARY
    assert type(model).can_generate()
    assert not type(bare).can_generate()
    assert model.get_lm_head() is model.get_output_embeddings()
    assert bare.get_lm_head() is None
    model.build_in_name_scope()


def test_a_model_of_a_config():
    model = fresh()
    again = type(model).from_config(model.config)
    assert again.config == model.config
    assert type(again.from_config(again.get_config())) is type(model)


def test_the_loss_of_old_is_refused():
    config = LEDConfig.from_dict({**SMALL, "tf_legacy_loss": True})
    with pytest.raises(ValueError, match="Received: tf_legacy_loss=True"):
        TFLEDModel(config)


def test_a_bias_moves_the_logits():
    model = fresh()
    ids = peer.token_ids(1, 5, 3)
    before = model(ids).logits
    bias = np.linspace(-1, 1, VOCABULARY, dtype="float32")[None]
    model.set_bias({"final_logits_bias": bias})
    np.testing.assert_allclose(model(ids).logits, before + bias, atol=1e-6)
    model.set_bias({"final_logits_bias": np.zeros((1, VOCABULARY + 2))})
    assert model.get_bias()["final_logits_bias"].shape[1] == VOCABULARY + 2
    with pytest.raises(ValueError, match="'final_logits_bias'.*Received: 'b'"):
        model.set_bias({"b": bias})


@pytest.mark.parametrize("change", [-10, 10, None])
def test_resized_embeddings_keep_the_common_tokens(change):
    model = fresh()
    bias = np.arange(VOCABULARY, dtype="float32")[None]
    model.set_bias({"final_logits_bias": bias})
    table = model.get_input_embeddings().embeddings.numpy()
    size = VOCABULARY + (change or 0)
    resized = model.resize_token_embeddings(change and size)
    common = min(size, VOCABULARY)
    assert resized.input_dim == model.config.vocab_size == size
    np.testing.assert_array_equal(
        resized.embeddings.numpy()[:common], table[:common]
    )
    found = model.get_bias()["final_logits_bias"].numpy()
    np.testing.assert_array_equal(found[0, :common], bias[0, :common])
    assert not found[0, common:].any()
    ids = peer.token_ids(1, 4, 5, vocab_size=common)
    assert model(ids).logits.shape == (1, 4, size)


ROWS = [
    {"input_ids": [5, 6, 7], "labels": [3, 4], "text": "unused"},
    {"input_ids": [8, 9, 10, 11], "labels": [5]},
    {"input_ids": [12], "labels": [6, 7, 8]},
]


def test_a_dataset_is_padded_and_cut_in_batches():
    data = fresh().prepare_tf_dataset(ROWS, batch_size=2, shuffle=False)
    (first, labels), (last, _) = data.as_numpy_iterator()
    assert list(first) == ["input_ids"]
    np.testing.assert_array_equal(
        first["input_ids"], [[5, 6, 7, 1], [8, 9, 10, 11]]
    )
    np.testing.assert_array_equal(labels, [[3, 4], [5, -100]])
    np.testing.assert_array_equal(last["input_ids"], [[12]])


def test_a_shuffled_dataset_has_every_row_in_another_order_each_time():
    rows = [{"input_ids": [3 + i], "labels": [3 + i]} for i in range(20)]
    data = fresh().prepare_tf_dataset(rows, batch_size=4)
    epochs = [
        np.concatenate([x["input_ids"] for x, _ in data.as_numpy_iterator()])
        for _ in range(2)
    ]
    assert not np.array_equal(*epochs)
    for epoch in epochs:
        assert sorted(epoch[:, 0]) == list(range(3, 23))


def test_a_dataset_takes_a_collate_function_of_the_user():
    def collate(rows, width):
        ids = np.ones((len(rows), width), "int64")
        return {"input_ids": ids}

    data = fresh().prepare_tf_dataset(
        ROWS, batch_size=2, collate_fn=collate, collate_fn_args={"width": 6}
    )
    (only,) = data.as_numpy_iterator()  # a shuffled rest is left out
    assert only["input_ids"].shape == (2, 6)


def test_datasets_that_are_none_are_refused():
    model = fresh()
    with pytest.raises(TypeError, match="length.*Received: generator"):
        model.prepare_tf_dataset(row for row in ROWS)
    with pytest.raises(ValueError, match="Received: none"):
        model.prepare_tf_dataset([])
    with pytest.raises(ValueError, match="Received: text"):
        model.prepare_tf_dataset([{"text": "a"}])
    with pytest.raises(TypeError, match="Received: list"):
        model.prepare_tf_dataset([[3, 4]])

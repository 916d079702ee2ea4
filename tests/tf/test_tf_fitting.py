"""Training: labels wherever they are, the model's own loss, XLA, float16."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import peer
from tests.tf.models import LENGTH
from tests.tf.models import fresh


def documents():
    return {
        "input_ids": peer.token_ids(2, LENGTH, 1),
        "attention_mask": peer.padding_mask("right", 2, LENGTH),
        "global_attention_mask": peer.global_mask("mixed", 2, LENGTH),
    }


def targets():
    labels = peer.token_ids(2, 5, 3)
    labels[1, 3:] = -100
    return labels


def test_labels_count_the_same_wherever_they_are():
    model, x, y = fresh(), documents(), targets()
    expected = float(model(**x, labels=y).loss[0])
    model.compile(
        keras.optimizers.SGD(0.0),
        loss="passthrough",
        metrics=["sparse_categorical_accuracy"],
        run_eagerly=True,
    )
    in_order = [x["input_ids"], x["attention_mask"], *[None] * 5]
    in_order.append(x["global_attention_mask"])
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
    results = [
        model.evaluate({**x, "labels": y}, verbose=0, return_dict=True),
        model.evaluate(x, y, verbose=0, return_dict=True),
        model.evaluate(dataset, verbose=0, return_dict=True),
        model.test_on_batch(x, {"labels": y}, return_dict=True),
    ]
    for result in results:
        assert list(result) == list(results[0])
        np.testing.assert_allclose(result["loss"], expected, rtol=1e-5)
        accuracy = "sparse_categorical_accuracy"
        assert result[accuracy] == results[0][accuracy]
    with pytest.raises(ValueError, match="one key 'labels'"):
        model.train_on_batch(x, {"label": y})


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_in_a_graph_and_under_xla_lowers_the_loss(jit_compile):
    model = fresh(dropout=0.0, attention_dropout=0.0)
    model.compile(keras.optimizers.SGD(0.1), jit_compile=jit_compile)
    batch = {**documents(), "labels": targets()}
    history = model.fit(batch, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


def test_float16_trains_without_nan():
    model = fresh(dtype="mixed_float16")
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = model.get_input_embeddings().embeddings.numpy()
    batch = {**documents(), "labels": targets()}
    history = model.fit(batch, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    after = model.get_input_embeddings().embeddings.numpy()
    assert np.isfinite(after).all()
    assert not np.array_equal(before, after)


def test_predictions_have_the_fields_of_a_call():
    model, x = fresh("TFLEDModel"), documents()
    x["decoder_input_ids"] = targets() * 0 + 4
    model.compile("sgd", run_eagerly=True)
    found, expected = model.predict(x, verbose=0), model(x)
    assert list(found) == list(expected)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    with pytest.raises(ValueError, match="`TFLEDModel` has no loss"):
        model.fit(x, verbose=0)

import keras
import numpy as np
import pytest
from keras import ops

import keras_led
from tests import peer
from tests.models.pairs import BATCH
from tests.models.pairs import document
from tests.models.pairs import quick

LENGTH, TARGETS = 11, 6
SMOOTHING = 0.1


def model_with(**changes):
    keras.utils.set_random_seed(4)
    config = {**peer.TINY, "encoder_layers": 1, "decoder_layers": 1}
    return keras_led.LEDForConditionalGeneration(
        keras_led.LEDConfig(**{**config, "init_std": 0.2, **changes})
    )


def batch():
    labels = peer.token_ids(BATCH, TARGETS, seed=21)
    labels[1, 4:] = peer.IGNORED
    inputs = document(LENGTH, "right")
    return {k: v for k, v in inputs.items() if v is not None}, labels


class Watched(keras_led.LEDForConditionalGeneration):
    """Notes whether steps of training and evaluation hold logits."""

    seen = None

    def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
        if self.seen is not None:
            self.seen.append((kwargs["training"], y_pred.logits is not None))
        return super().compute_loss(x, y, y_pred, *args, **kwargs)


def step(model, **options):
    """Loss of a training step, the weights after it, and what it held."""
    inputs, labels = batch()
    model.compile(keras.optimizers.SGD(0.1), **options)
    model.__class__ = Watched
    model.seen = []
    loss = model.train_on_batch(inputs, labels, return_dict=True)["loss"]
    weights = [ops.convert_to_numpy(v) for v in model.trainable_variables]
    return float(loss), weights, model.seen


@pytest.mark.parametrize("tied", [True, False])
def test_a_step_without_logits_equals_one_with_them(tied):
    changes = {"tie_word_embeddings": tied}
    options = {"label_smoothing": SMOOTHING} if tied else {}
    loss, weights, seen = step(model_with(**changes), **options)
    expected, others, held = step(
        model_with(**changes),
        metrics=["sparse_categorical_accuracy"],
        **options,
    )
    assert (True, False) in seen
    assert (True, True) in held
    assert loss == pytest.approx(expected, rel=1e-6)
    for found, wanted in zip(weights, others, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_smoothing_is_for_fit_and_evaluate_alone():
    inputs, labels = batch()
    model = model_with()
    model.compile(label_smoothing=SMOOTHING)
    output = quick(model)(**inputs, labels=labels)
    logits = np.float64(ops.convert_to_numpy(output.logits))
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    counted = logs[labels != peer.IGNORED]
    targets = labels[labels != peer.IGNORED]
    picked = counted[np.arange(len(targets)), targets].mean()
    loss = float(ops.convert_to_numpy(output.loss))
    assert loss == pytest.approx(-picked, rel=1e-4)
    expected = -(1 - SMOOTHING) * picked - SMOOTHING * counted.mean()
    found = model.evaluate(inputs, labels, batch_size=BATCH, verbose=0)
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_compiled_model_is_compiled_when_loaded(tmp_path):
    model = model_with()
    model.compile(keras.optimizers.AdamW(0.02), label_smoothing=SMOOTHING)
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(7)
    model.save(tmp_path / "model.keras")
    found = keras.saving.load_model(tmp_path / "model.keras")
    assert int(ops.convert_to_numpy(found.optimizer.iterations)) == 7
    assert found.get_compile_config()["label_smoothing"] == SMOOTHING
    assert found.get_compile_config()["jit_compile"] == "auto"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_smoothing": 1.0}, "label_smoothing=1.0"),
        ({"label_smoothing": 0.1, "loss": "mse"}, "beside a `loss`"),
    ],
)
def test_bad_smoothing_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        model_with().compile(**options)

import pathlib

import keras
import numpy as np
import pytest

import keras_led
from tests import peer
from tests.golden.files import read_golden
from tests.models.pairs import from_golden

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
FILES = ("classification", "classification_one_label")
NO_DROPOUT = {"dropout": 0.0, "attention_dropout": 0.0}
KEPT = ("loss", "logits", "encoder_last_hidden_state")


def golden(file, problem_type=None):
    config, weights, cases = read_golden(GOLDEN / f"{file}.npz")
    config = {**config, "problem_type": problem_type}
    key = file, problem_type
    name = "LEDForSequenceClassification"
    return from_golden(name, key, config, weights), cases


def case_names():
    for file in FILES:
        for name in read_golden(GOLDEN / f"{file}.npz")[2]:
            yield pytest.param(file, name, id=f"{file}-{name}")


@pytest.mark.parametrize(("file", "name"), list(case_names()))
def test_equals_transformers_4(file, name):
    _, cases = golden(file)
    inputs, outputs = cases[name]["inputs"], cases[name]["outputs"]
    ours, _ = golden(file, inputs.pop("problem_type", None))
    found = ours(**inputs)
    peer.compare(found, outputs, only=[n for n in KEPT if n in outputs])
    assert ("loss" in found) == ("labels" in inputs)


def test_the_config_does_not_learn_the_problem_type():
    ours, cases = golden("classification")
    for kind in ("single_label", "multi_label"):
        case = cases[f"{kind}_classification-inferred"]
        inputs = {**case["inputs"]}
        inputs.pop("problem_type")
        loss = ours(**inputs).loss
        np.testing.assert_allclose(
            peer.to_numpy(loss),
            case["outputs"]["loss"],
            atol=peer.LOSS_TOLERANCE,
        )
    assert ours.config.problem_type is None


def test_rows_may_have_different_numbers_of_ends():
    ours, cases = golden("classification")
    inputs = {**cases["decoder_input_ids"]["inputs"]}
    expected = cases["decoder_input_ids"]["outputs"]["logits"]
    ids = inputs["input_ids"].copy()
    first = np.argmax(ids[1] == 2)  # the state of the last one counts
    ids[1, first] = 5
    changed = peer.to_numpy(ours(**{**inputs, "input_ids": ids}).logits)
    np.testing.assert_allclose(
        changed[[0, 2]], expected[[0, 2]], atol=peer.TOLERANCE
    )


def test_a_row_without_an_end_is_named():
    ours, cases = golden("classification")
    inputs = {**cases["decoder_input_ids"]["inputs"]}
    ids = inputs["input_ids"].copy()
    ids[1][ids[1] == 2] = 5
    with pytest.raises(ValueError, match=r"(?s)`input_ids`.*Received.*\b1\b"):
        ours(**{**inputs, "input_ids": ids})


def test_decoder_ids_of_another_length_are_an_error():
    ours, cases = golden("classification")
    inputs = {**cases["decoder_input_ids"]["inputs"]}
    inputs["decoder_input_ids"] = inputs["decoder_input_ids"][:, :7]
    with pytest.raises(ValueError, match=r"(?s)`decoder_input_ids`.*7"):
        ours(**inputs)


def test_a_column_of_labels_does_as_a_row():
    ours, cases = golden("classification")
    case = cases["single_label_classification-inferred"]
    inputs = {k: v for k, v in case["inputs"].items() if k != "problem_type"}
    found = ours(**{**inputs, "labels": inputs["labels"][:, None]}).loss
    np.testing.assert_allclose(
        peer.to_numpy(found), case["outputs"]["loss"], atol=peer.LOSS_TOLERANCE
    )


@pytest.fixture
def trainable():
    """A model, four documents with an end each, and their classes."""
    model = keras_led.LEDForSequenceClassification(
        keras_led.LEDConfig(**{**peer.TINY, **NO_DROPOUT}, num_labels=2)
    )
    ids = peer.token_ids(4, 9)
    ids[:, -1] = 2
    return model, ids, np.array([0, 0, 0, 1], "int32")


def test_a_keras_loss_weighs_samples_and_classes(trainable):
    model, ids, labels = trainable
    model.compile(
        keras.optimizers.SGD(0.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
    )
    logits = peer.to_numpy(model(ids).logits)
    each = np.log(np.exp(logits).sum(1)) - logits[np.arange(4), labels]
    weights = np.array([1.0, 1.0, 1.0, 3.0])
    wanted = (each * weights).mean()
    history = model.fit(ids, labels, class_weight={0: 1.0, 1: 3.0}, verbose=0)
    found = model.evaluate(ids, labels, sample_weight=weights, verbose=0)
    np.testing.assert_allclose(history.history["loss"], [wanted], rtol=1e-4)
    right = (logits.argmax(1) == labels) @ weights / weights.sum()
    np.testing.assert_allclose(found, [wanted, right], rtol=1e-4)


def test_metrics_beside_the_models_own_loss(trainable):
    model, ids, labels = trainable
    model.compile(keras.optimizers.SGD(0.0), metrics=["accuracy"])
    history = model.fit(ids, labels, verbose=0).history
    output = model(ids, labels=labels)
    right = (peer.to_numpy(output.logits).argmax(1) == labels).mean()
    assert history["accuracy"] == [pytest.approx(right)]
    np.testing.assert_allclose(
        history["loss"], [peer.to_numpy(output.loss)], rtol=1e-4
    )


def test_placeholders_are_no_documents(trainable):
    model, _, _ = trainable
    ids = keras.Input((9,), dtype="int32", batch_size=3)
    output = model(ids)
    assert tuple(output.logits.shape) == (3, 2)


@pytest.mark.parametrize("wrong", ["an end", "a class"])
def test_training_names_what_a_call_names(trainable, wrong):
    model, ids, labels = trainable
    if wrong == "an end":
        ids[2, -1] = 5
        message = "`input_ids` must hold `</s>`.*none in row 2"
    else:
        labels[1] = 2
        message = "`labels` must be from 0 to 1.*0 to 2"
    model.compile(keras.optimizers.SGD(0.0))
    for run in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=f"(?s){message}"):
            run(ids, labels, verbose=0)

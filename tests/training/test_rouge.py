"""ROUGE against hand-counted values, and after each epoch."""

import sys

import keras
import pytest

from keras_led.backend import name as running_backend
from keras_led.training.backup import TrainingBackup
from keras_led.training.rouge import rouge_scores
from keras_led.training.rouge_callback import RougeCallback
from tests.training.small import small_dataset
from tests.training.small import small_model


def test_scores_are_those_of_the_definition():
    scores = rouge_scores(
        ["the cat sat on mats", "nothing"],
        ["the cat sat down", "in common"],
        use_stemmer=False,
    )
    # Precision 3/5, recall 3/4: F1 = 2/3; pairs: 2/4 and 2/3, F1 = 4/7.
    assert scores["rouge1"] == pytest.approx(100 * (2 / 3) / 2)
    assert scores["rouge2"] == pytest.approx(100 * (4 / 7) / 2)
    assert scores["rougeL"] == pytest.approx(100 * (2 / 3) / 2)


def test_the_stemmer_joins_forms_of_a_word():
    texts = ["he lists files"], ["they list a file"]
    assert rouge_scores(*texts, use_stemmer=False)["rouge1"] == 0
    assert rouge_scores(*texts)["rouge1"] == pytest.approx(100 * 4 / 7)


def test_numbers_of_texts_must_agree():
    with pytest.raises(ValueError, match="Received: 1 and 2"):
        rouge_scores(["a"], ["b", "c"])


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rouge_score", None)
    with pytest.raises(ImportError, match=r"pip install \"keras-led\[rouge\]"):
        rouge_scores(["a"], ["b"])
    with pytest.raises(ImportError, match="rouge-score"):
        RougeCallback(["a"], ["b"], None)


class Parrot:
    """A `summarize` that gives one word more of each document every time."""

    def __init__(self):
        self.calls = []

    def __call__(self, texts, tokenizer, **options):
        self.calls.append(options)
        return [" ".join(text.split()[: len(self.calls)]) for text in texts]


def fit(callbacks, epochs=2):
    model, parrot = small_model(), Parrot()
    # Past Keras' own `__setattr__`.
    object.__setattr__(model, "summarize", parrot)
    history = model.fit(
        small_dataset(),
        epochs=epochs,
        verbose=0,
        shuffle=False,
        callbacks=callbacks,
    )
    return history.history, parrot


def test_scores_reach_the_history_and_later_callbacks(tmp_path):
    rouge = RougeCallback(
        ["one two three", "four five six", "seven"],
        ["one two", "five", "not reached"],
        "tokenizer",
        max_documents=2,
        max_new_tokens=7,
    )
    data = small_dataset()
    backup = TrainingBackup(tmp_path, data)
    stop = keras.callbacks.EarlyStopping("val_rouge1", mode="max")
    history, parrot = fit([rouge, stop, backup])
    # "one": F1 2/3, "four": 0; then "one two": 1, "four five": 2/3.
    assert history["val_rouge1"] == pytest.approx([100 / 3, 100 * 5 / 6])
    logs = [epoch["val_rouge1"] for epoch in backup.history]
    assert logs == history["val_rouge1"]
    assert parrot.calls[0]["max_new_tokens"] == 7
    assert rouge.samples[1] == {
        "document": "four five six",
        "reference": "five",
        "summary": "four five",
    }


def test_epochs_in_between_are_left_out():
    history, parrot = fit(
        [RougeCallback(["a b"], ["a b"], None, every=2)], epochs=5
    )
    assert len(history["val_rougeL"]) == len(parrot.calls) == 2


@pytest.mark.skipif(
    running_backend != "tensorflow", reason="TensorFlow writes on every backend"
)
def test_scores_and_samples_reach_tensorboard(tmp_path):
    import tensorflow as tf
    from tensorflow.core.util.event_pb2 import Event

    fit([RougeCallback(["a | b"], ["a\nb"], None, log_dir=tmp_path)], epochs=1)
    (path,) = tmp_path.iterdir()
    events = [
        Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    values = {v.tag: v for event in events for v in event.summary.value}
    scalar = tf.make_ndarray(values["epoch_val_rouge1"].tensor)
    assert scalar == pytest.approx(100 * 2 / 3)
    kinds = {v.metadata.plugin_data.plugin_name for v in values.values()}
    assert kinds == {"scalars", "text"}
    text = tf.make_ndarray(values["sample_0"].tensor).item().decode()
    assert "| reference | a b |" in text
    assert "| document | a \\| b ... |" in text


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((["a"], ["b", "c"], None), {}, "Received: 1 and 2"),
        (([], [], None), {}, "at least one"),
        ((["a"], ["b"], None), {"every": 0}, "every=0"),
    ],
)
def test_bad_arguments_are_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        RougeCallback(*arguments, **options)

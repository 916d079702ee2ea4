"""Interrupted runs end where uninterrupted ones do.

The kill of a whole process is in `tests/cli/test_train.py`.
"""

import json

import keras
import numpy as np
import pytest

from keras_led.data import StreamingSeq2SeqDataset
from keras_led.training.backup import TrainingBackup
from tests.data.tokenizers import ROWS
from tests.data.tokenizers import byte_tokenizer
from tests.training.small import small_dataset
from tests.training.small import small_model
from tests.training.small import weights


class Interruption(Exception):
    """Stands in for a crash."""


class Interrupt(keras.callbacks.Callback):
    """Raises after some batches."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_train_batch_end(self, batch, logs=None):
        self.batches -= 1
        if self.batches == 0:
            raise Interruption


def fit(model, data, backup, callbacks=(), epochs=3):
    return model.fit(
        data,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, backup],
    )


def streamed():
    return StreamingSeq2SeqDataset(
        ROWS,
        byte_tokenizer(),
        steps_per_epoch=6,
        batch_size=2,
        max_source_tokens=300,
        max_target_tokens=20,
        buckets=(64, 160),
        shuffle_buffer=4,
    )


# Six batches an epoch: in the middle of the first, before any save, in the
# middle of the second, and right after its end.
@pytest.mark.parametrize(
    ("make_data", "batches", "position"),
    [
        (small_dataset, 5, (0, 4)),
        (small_dataset, 1, None),
        (small_dataset, 10, (1, 2)),
        (small_dataset, 13, (2, 0)),
        (streamed, 10, (1, 2)),
    ],
)
def test_an_interrupted_run_ends_with_the_same_weights(
    tmp_path, make_data, batches, position
):
    whole = small_model()
    expected = TrainingBackup(tmp_path / "a", make_data(), 2)
    history = fit(whole, expected.dataset, expected).history
    assert len(expected.history) == 3

    backup = TrainingBackup(tmp_path / "b", make_data(), 2)
    with pytest.raises(Interruption):
        fit(small_model(), backup.dataset, backup, [Interrupt(batches)])
    # Another model and dataset, as in another process.
    backup = TrainingBackup(tmp_path / "b", make_data(), 2)
    assert backup.position() == position
    model = small_model(seed=99 if position else 3)
    fit(model, backup.dataset, backup)
    for found, wanted in zip(weights(model), weights(whole), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7)
    # The means of metrics over an interrupted epoch are whole, too.
    assert_same_history(backup.history, expected.history)
    assert [e["loss"] for e in expected.history] == history["loss"]
    assert backup.position() is None


def assert_same_history(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


def test_the_same_callback_resumes_after_an_interruption(tmp_path):
    data = small_dataset()
    whole = small_model()
    fit(whole, data, TrainingBackup(tmp_path / "a", data, 2))
    model = small_model()
    backup = TrainingBackup(tmp_path / "b", data, 2, delete_checkpoint=False)
    with pytest.raises(Interruption):
        fit(model, data, backup, [Interrupt(4)])
    fit(model, data, backup)
    for found, wanted in zip(weights(model), weights(whole), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7)
    assert backup.position() == (3, 0)
    # More epochs go on from there.
    fit(model, data, backup, epochs=4)
    assert len(backup.history) == 4


def test_ends_of_epochs_can_be_resumed_with_other_data(tmp_path):
    x = {
        "input_ids": np.full((6, 8), 50),
        "attention_mask": np.ones((6, 8)),
    }
    y = np.ones((6, 24))
    options = {"batch_size": 2, "shuffle": False, "verbose": 0, "epochs": 3}
    whole = small_model()
    whole.fit(x, y, callbacks=[TrainingBackup(tmp_path / "whole")], **options)
    with pytest.raises(Interruption):
        small_model().fit(
            x, y, callbacks=[Interrupt(5), TrainingBackup(tmp_path)], **options
        )
    model = small_model(seed=99)
    model.fit(x, y, callbacks=[TrainingBackup(tmp_path)], **options)
    for found, wanted in zip(weights(model), weights(whole), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7)


def interrupted(folder):
    backup = TrainingBackup(folder, small_dataset(), 2)
    with pytest.raises(Interruption):
        fit(small_model(), backup.dataset, backup, [Interrupt(3)])


def test_a_run_on_other_data_is_not_resumed(tmp_path):
    interrupted(tmp_path)
    backup = TrainingBackup(tmp_path, small_dataset(seed=5), 2)
    with pytest.raises(ValueError, match="`dataset` must be that of the run"):
        fit(small_model(), backup.dataset, backup)


def test_a_run_with_another_optimizer_is_not_resumed(tmp_path):
    interrupted(tmp_path)
    backup = TrainingBackup(tmp_path, small_dataset(), 2)
    model = small_model()
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    with pytest.raises(ValueError, match="`optimizer` must be that of"):
        fit(model, backup.dataset, backup)


def test_what_a_killed_run_left_is_removed(tmp_path):
    leftover = tmp_path / ".state.npz.0123456789ab.tmp"
    leftover.write_bytes(b"half")
    other = tmp_path / ".other.tmp"
    other.write_bytes(b"kept")
    backup = TrainingBackup(tmp_path, small_dataset())
    fit(small_model(), backup.dataset, backup, epochs=1)
    assert list(tmp_path.iterdir()) == [other]


def test_a_shuffling_fit_is_refused(tmp_path):
    backup = TrainingBackup(tmp_path, small_dataset(seed=2), 2)
    with pytest.raises(Exception, match="shuffle=False"):
        small_model().fit(
            backup.dataset, epochs=9, verbose=0, callbacks=[backup]
        )


def test_a_stop_within_an_epoch_is_no_end_of_it(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    backup = TrainingBackup(tmp_path, small_dataset(), 9, False)
    fit(small_model(), backup.dataset, backup, [Stop()])
    assert backup.position() == (0, 3)


def test_keras_own_backup_resumes_whole_epochs(tmp_path):
    def run(model, *callbacks):
        keras_backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        data = small_dataset(shuffle=False)
        model.fit(
            data,
            epochs=3,
            shuffle=False,
            verbose=0,
            callbacks=[*callbacks, keras_backup],
        )

    with pytest.raises(Interruption):
        run(small_model(), Interrupt(8))
    text = (tmp_path / "backup" / "training_metadata.json").read_text()
    assert json.loads(text)["epoch"] == 1
    model = small_model(seed=99)
    run(model)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 18


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"save_freq": 0}, "save_freq=0"),
        ({"save_freq": "batch"}, "save_freq='batch'"),
        ({"save_freq": 5}, "dataset=None, save_freq=5"),
    ],
)
def test_bad_arguments_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        TrainingBackup(tmp_path, **options)

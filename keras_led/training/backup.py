"""Resuming a killed run at the last saved step."""

import warnings
from pathlib import Path
from typing import Any

import keras
from keras import ops

from keras_led import backend
from keras_led.training.state_file import read_facts
from keras_led.training.state_file import read_state
from keras_led.training.state_file import write_state
from keras_led.typing import StrPath

STATE_NAME = "state.npz"
# What Keras says of an epoch that is shorter, as a resumed one is.
_SHORT_EPOCH = "Your input ran out of data"


class TrainingBackup(keras.callbacks.Callback):
    """Saves a run's whole state, and restores it when `fit` starts again.

    Like `keras.callbacks.BackupAndRestore`, whose arguments it has, but:
    - the state is one file, written whole or not at all. Keras writes weights
      in place, and the epoch to a second file: a run killed in between
      resumes with weights and an epoch that do not belong together, or cannot
      be resumed;
    - it resumes in the middle of an epoch, with the batch that comes next;
    - it keeps the random state of dropout, the running means of the metrics
      and the history beside weights and optimizer.

    So the resumed run ends with the weights of one that was not interrupted.
    It must be started with the same model, data and arguments. Put it last
    among the callbacks, and call `fit` with `shuffle=False`.

    Args:
        backup_dir: str or path of a folder.
        dataset: dataset of `keras_led.data` that `fit` is given. `None` for
            other data: then only ends of epochs can be resumed.
        save_freq: "epoch", or int: save after so many steps, and after each
            epoch.
        delete_checkpoint: bool, whether to delete the state when `fit` ends.

    Attributes:
        history: list of dicts, the logs of each finished epoch, also of those
            before the interruption.
        epoch: int, epoch of the last batch, from 0.
        step: int, batches of this epoch that are done.

    Raises:
        ValueError: If an argument is out of range or, when `fit` starts, the
            state there is of another run, or damaged.
    """

    path: Path
    history: list[Any]
    epoch: int
    step: int

    def __init__(
        self,
        backup_dir: StrPath,
        dataset: Any = None,
        save_freq: str | int = "epoch",
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        whole = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (whole and save_freq > 0):  # pyright: ignore[reportOperatorIssue]
            raise ValueError(
                "`save_freq` must be 'epoch' or a number of steps. "
                f"Received: save_freq={save_freq!r}."
            )
        if save_freq != "epoch" and dataset is None:
            raise ValueError(
                "`dataset` must be given to save within an epoch. "
                f"Received: dataset=None, save_freq={save_freq}. Pass the "
                "dataset, or save_freq='epoch'."
            )
        self.path = Path(backup_dir) / STATE_NAME
        self.dataset = dataset
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        self.history = []
        self.epoch = 0
        self.step = 0
        self._unsaved = 0
        self._first = 0
        self._metrics = None
        self._random = None
        self._quiet = None
        self._last_state = None

    def position(self) -> tuple[int, int] | None:
        """Where a saved run stands.

        Returns:
            Pair of int, finished epochs and batches of the next one, or
            `None` if nothing is saved.
        """
        facts = read_facts(self.path)
        return None if facts is None else (facts["epoch"], facts["step"])

    def save(self) -> None:
        """Saves the state after the last batch."""
        values = self._values()
        values["random"] = self._random or backend.random_state()
        facts = {
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "data": self._fingerprint(),
        }
        write_state(self.path, values, facts)
        self._unsaved = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._last_state = None
        self._end_short_epoch()
        self.history, self.epoch, self.step = [], 0, 0
        self._unsaved, self._metrics, self._random = 0, None, None
        facts = read_facts(self.path)
        if facts is not None:
            self._restore(facts)

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # `fit` has read it, and would start the next run there as well.
        self.model._initial_epoch = None
        resumes = epoch == self.epoch and self.step > 0
        self.epoch, self._first = epoch, self.step if resumes else 0
        self.step = self._first
        if self.dataset is not None:
            self.dataset.go_to(epoch, self._first)
        if resumes:
            for variable, value in zip(
                self.model.metrics_variables,
                self._metrics,  # pyright: ignore[reportArgumentType]
                strict=True,
            ):
                variable.assign(value)
            self._quiet = warnings.catch_warnings()
            self._quiet.__enter__()
            warnings.filterwarnings("ignore", _SHORT_EPOCH, UserWarning)
        elif self._random is not None:
            self._restore_random_state()

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # Within an epoch, after PyTorch's loader has drawn a seed: it does so
        # once an epoch, and did before the run was interrupted.
        if self._random is not None:
            self._restore_random_state()

    def _restore_random_state(self):
        backend.set_random_state(self._random)  # pyright: ignore[reportArgumentType]
        self._random = None

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        done = self._first + batch + 1
        self._unsaved += done - self.step
        self.step = done
        if self._is_last():
            # The next epoch starts from here, whatever validation draws, and
            # PyTorch's loader, which draws more often in a whole epoch.
            self._random = backend.random_state()
            if self._first and backend.STEP_RUNS_BEFORE_DATA_CHECK:
                self._last_state = self._values()
        if self.save_freq == "epoch" or self._unsaved < self.save_freq:  # pyright: ignore[reportOperatorIssue]
            return
        # The end of an epoch is saved when it has been evaluated too.
        if not self._is_last():
            self.save()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._end_short_epoch()

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._end_short_epoch()
        if not self._is_last():
            # `stop_training` was set within the epoch.
            self.save()
            return
        values = {name: float(value) for name, value in (logs or {}).items()}
        self.history = [*self.history, values]
        self.epoch, self.step = epoch + 1, 0
        self.save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._end_short_epoch()
        if self.delete_checkpoint:
            self.path.unlink(missing_ok=True)

    def _restore(self, facts):
        if facts["data"] != self._fingerprint():
            raise ValueError(
                "`dataset` must be that of the run which is resumed: the same "
                "rows, tokenizer, lengths, batch size, buckets and seed. "
                f"Received: another one, for {self.path}. Use another folder "
                "for another run."
            )
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        if facts["step"] > 0:
            # On TensorFlow, those of `compile` wait for the first batch.
            self.dataset.go_to(facts["epoch"], facts["step"])
            self.model._symbolic_build(data_batch=self.dataset[0])
        variables = self._variables()
        if facts["step"] == 0:
            # Metrics start anew; those of `compile` may not exist yet.
            del variables["metrics"]
        expected = {**variables, "random": backend.random_state()}
        _, saved = read_state(self.path, expected)
        self._metrics = saved.pop("metrics", None)
        self._random = saved.pop("random") or None
        self._assign(saved)
        self.history = facts["history"]
        self.epoch, self.step = facts["epoch"], facts["step"]
        self.model._initial_epoch = self.epoch

    def _is_last(self):
        """Whether the epoch may be over: without a dataset any batch may."""
        if self.dataset is None:
            return True
        return self.step >= self.dataset.batches_per_epoch

    def _values(self):
        return {
            name: [ops.convert_to_numpy(v) for v in group]
            for name, group in self._variables().items()
        }

    def _assign(self, saved):
        variables = self._variables()
        for name, values in saved.items():
            for variable, value in zip(variables[name], values, strict=True):
                variable.assign(value)

    def _variables(self):
        model = self.model
        optimizer = model.optimizer
        return {
            # With the seeds, which `model.weights` lacks.
            "model": model.variables,
            "optimizer": [] if optimizer is None else optimizer.variables,
            "metrics": model.metrics_variables,
        }

    def _fingerprint(self):
        return None if self.dataset is None else self.dataset.fingerprint

    def _end_short_epoch(self):
        """Undoes the step without data; lets Keras warn of it again."""
        if self._last_state is not None:
            self._assign(self._last_state)
            self._last_state = None
        if self._quiet is not None:
            self._quiet.__exit__(None, None, None)
            self._quiet = None

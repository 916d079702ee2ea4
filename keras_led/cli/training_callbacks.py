"""Callbacks of `keras-led train`: progress, checkpoints, an orderly stop."""

import math
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

import keras

from keras_led.cli.shared_options import note
from keras_led.cli.starting import quiet_standard_error
from keras_led.files import write_json
from keras_led.training.adapter_files import save_adapters
from keras_led.training.event_log import EventLog
from keras_led.training.event_log import require_tensorflow
from keras_led.typing import AnyLED

if TYPE_CHECKING:
    from keras_led.cli.training_options import TrainOptions
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer
    from keras_led.training.backup import TrainingBackup

# Where, in the folder of the checkpoint, the adapters alone are.
ADAPTERS_FOLDER = "adapters"
HISTORY_NAME = "history.json"
# So many times worse than a guess at random, a run is lost.
HOPELESS = 10


class Stopped(Exception):
    """A run was stopped on purpose, after its state was saved."""


def save_model(
    model: AnyLED,
    tokenizer: "LEDTokenizer",
    output: Path,
    options: "TrainOptions",
    history: Any = None,
) -> None:
    """Writes a checkpoint that summarizes with the lengths of the training.

    Model, tokenizer, adapters and history are all of one step.
    """

    def write_beside(staging):
        tokenizer.save_pretrained(staging)
        if options.lora_rank is not None:
            save_adapters(model, staging / ADAPTERS_FOLDER)
        if history is not None:
            write_json(staging / HISTORY_NAME, history)

    model.generation_config.update(
        max_new_tokens=min(
            options.max_target_tokens,
            model.config.max_decoder_position_embeddings - 1,
        )
    )
    # With the adapters merged.
    model.save_pretrained(output, write_beside=write_beside)


def _start_tensorflow_quietly():
    """Event files are TensorFlow's on every backend; its notes are not ours."""
    require_tensorflow()
    with quiet_standard_error():
        import tensorflow as tf

        with tf.device("cpu:0"):
            tf.constant(0)


class Report(keras.callbacks.Callback):
    """Tells of the progress; writes a checkpoint after each epoch."""

    def __init__(
        self,
        options: "TrainOptions",
        dataset: Any,
        model: AnyLED,
        tokenizer: "LEDTokenizer",
        backup: "TrainingBackup",
    ):
        super().__init__()
        self.options = options
        self.dataset = dataset
        self.tokenizer = tokenizer
        self.backup = backup
        log_dir = options.log_dir
        if log_dir is not None and not options.debug:
            _start_tensorflow_quietly()
        self._log = None if log_dir is None else EventLog(log_dir)
        self._steps = 0
        self._since = time.monotonic()
        self._epoch = 0

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._epoch, self._steps, self._since = epoch, 0, time.monotonic()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._steps += 1
        if self._steps % self.options.log_every:
            return
        now = time.monotonic()
        pace = (now - self._since) / self.options.log_every
        self._since = now
        # The backup comes next in the list, and counts this step after.
        step = self.backup.step + 1
        note(
            f"epoch {self._epoch + 1}/{self.options.epochs}, step "
            f"{step}/{self.dataset.batches_per_epoch}: "
            f"loss {logs['loss']:.4f}, {pace:.2f} s a step"
        )

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        shown = ", ".join(f"{k} {v:.4f}" for k, v in logs.items())
        note(f"epoch {epoch + 1}/{self.options.epochs}: {shown}")
        self._check_progress(logs["loss"], shown)
        if self._log is not None:
            self._log.scalars({f"epoch_{k}": v for k, v in logs.items()}, epoch)
        save_model(
            self.model, self.tokenizer, self.options.output, self.options
        )

    def _check_progress(self, loss, shown):
        """Raises if the run has diverged, before it is saved as a model."""
        guess = math.log(self.model.config.vocab_size)
        remedy = "Lower --learning-rate, or add --warmup-steps."
        if not loss <= HOPELESS * guess:  # NaN too
            raise ValueError(
                f"The loss must come near {guess:.1f} or below, that of a "
                f"guess at random: the run diverges. Received: {shown}. "
                f"{remedy}"
            )
        # The last step may spoil what the losses do not show yet.
        for weight in self.model.weights:
            if not bool(keras.ops.all(keras.ops.isfinite(weight))):
                raise ValueError(
                    "The weights must be finite: the run diverges. "
                    f"Received: {weight.path} with others; {shown}. {remedy}"
                )


class Deadline(keras.callbacks.Callback):
    """Saves and stops after some minutes, or when SIGTERM comes.

    Args:
        backup: `TrainingBackup`, before this one in the list.
        minutes: float, or `None`.
    """

    end: float

    def __init__(self, backup: "TrainingBackup", minutes: float | None):
        super().__init__()
        self.backup = backup
        self.end = math.inf
        if minutes is not None:
            self.end = time.monotonic() + 60 * minutes
        self._reason = None
        self._former = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGTERM, self._terminate)
        return self

    def __exit__(self, *details: Any) -> None:
        if self._former is not None:
            signal.signal(signal.SIGTERM, self._former)

    def _terminate(self, number, frame):
        self._reason = "SIGTERM came."

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if time.monotonic() >= self.end:
            self._reason = self._reason or "The time is up."
        # The end of an epoch is the first place after its last step.
        total = self.backup.dataset.batches_per_epoch
        if self._reason and self.backup.step < total:
            self.backup.save()
            raise Stopped(
                f"{self._reason} Saved at epoch {self.backup.epoch + 1}, "
                f"step {self.backup.step} of {total}."
            )

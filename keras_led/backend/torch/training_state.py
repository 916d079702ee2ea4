"""Variables keep their values while a step runs."""

from collections.abc import Callable
from typing import Any

from keras_led.backend import stateful_training


class TrainingState(stateful_training.TrainingState):
    """Put before `keras.Model`; nothing is to do but to take a step's data."""

    def _make_function(self, step: Callable[..., Any]) -> Callable[..., Any]:
        # Keras hands on a list of as many batches as a call trains on: one.
        return lambda batches: step(batches[0])

"""Variables keep their values while a step runs."""

from keras_led.backend import stateful_training

TrainingState = stateful_training.TrainingState

"""Weights on disk: names, readers, writers."""

from keras_led.checkpoints.checkpoint import Checkpoint
from keras_led.checkpoints.checkpoint import open_checkpoint
from keras_led.checkpoints.loading import load_pretrained_weights
from keras_led.checkpoints.loading import load_weights
from keras_led.checkpoints.saving import save_pretrained_weights

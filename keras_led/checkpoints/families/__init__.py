"""Checkpoints of LED and of its relatives, all as LED."""

from keras_led.checkpoints.families.detect import FAMILIES
from keras_led.checkpoints.families.detect import read_source

"""The `keras-led` command: one module a command, all registered in `app`."""

from keras_led.cli.app import app

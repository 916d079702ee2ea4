"""What the scripts share: `keras-led convert` with some options given."""

import sys

from keras_led.cli import app


def main(*options):
    """Runs `keras-led convert` with these options before the user's.

    Args:
        *options: str, options of the command.
    """
    app(["convert", *options, *sys.argv[1:]])

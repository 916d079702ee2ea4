"""`python -m keras_led` is the `keras-led` command."""

from keras_led.cli import app

if __name__ == "__main__":
    app()

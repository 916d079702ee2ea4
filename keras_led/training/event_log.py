"""Numbers and texts for TensorBoard."""

from importlib.util import find_spec
from typing import Any

from keras_led.typing import StrPath


class EventLog:
    """Writes event files that TensorBoard shows.

    TensorFlow writes them, whatever backend runs; the package `tensorboard`
    is needed to look at them, not to write them.

    Args:
        log_dir: str or path of the folder.

    Raises:
        ImportError: If TensorFlow is not installed.
    """

    log_dir: str

    def __init__(self, log_dir: StrPath):
        require_tensorflow()
        self.log_dir = str(log_dir)
        self._writer = None

    def scalars(self, values: dict[str, Any], step: int) -> None:
        """Writes numbers.

        Args:
            values: dict of str to float.
            step: int.
        """
        for name, value in values.items():
            self._write(name, float(value), "scalars", step)

    def text(self, name: str, value: str, step: int) -> None:
        """Writes a text, in Markdown.

        Args:
            name: str.
            value: str.
            step: int.
        """
        self._write(name, value, "text", step)

    def _write(self, name, value, plugin, step):
        import tensorflow as tf
        from tensorflow.compat.v1 import SummaryMetadata  # pyright: ignore[reportMissingImports]

        metadata = SummaryMetadata()
        metadata.plugin_data.plugin_name = plugin
        # TensorFlow's own writer, also where another backend has a GPU.
        with tf.device("cpu:0"):
            if self._writer is None:
                self._writer = tf.summary.create_file_writer(self.log_dir)
            with self._writer.as_default():
                tf.summary.write(name, tf.constant(value), step, metadata)
            self._writer.flush()


def require_tensorflow() -> None:
    """Raises `ImportError` where event files cannot be written."""
    if find_spec("tensorflow") is None:
        raise ImportError(
            "`log_dir` is for event files, which TensorFlow writes on every "
            "backend; it is not installed. Run: pip install "
            "'keras-led[tensorflow]', or leave `log_dir` out."
        )

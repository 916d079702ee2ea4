"""A LiteRT (formerly TensorFlow Lite) file for inputs of one shape.

LiteRT plans its memory for fixed shapes and has no loop over the blocks of a
document: all blocks are worked on at once.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import tensorflow as tf

from keras_led.backend.block_layout import without_loops
from keras_led.formats.forward_pass import trace
from keras_led.formats.forward_saved_model import write_saved_model

if TYPE_CHECKING:
    from keras_led.formats.forward_pass import ForwardModule


def write_litert(
    module: "ForwardModule", functions: dict[str, Any], path: Path
) -> None:
    """Writes one file with a signature for each function.

    Args:
        module: `ForwardModule` of one shape.
        functions: dict of name to a pair of the function and the dict of the
            `TensorSpec`s of its inputs, all sizes known.
        path: `pathlib.Path` of the file.
    """
    with without_loops():
        traced = {
            name: trace(function, inputs)
            for name, (function, inputs) in functions.items()
        }
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(module, folder, traced)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(traced)
        )
        path.write_bytes(converter.convert())

"""A LiteRT (formerly TensorFlow Lite) file for inputs of one shape.

LiteRT plans its memory for fixed shapes and has no loop over the blocks of a
document: all blocks are worked on at once.
"""

import tempfile

import tensorflow as tf

from keras_led.backend.blocks import without_loops
from keras_led.serving.signatures import ServedModel
from keras_led.serving.signatures import trace

FILE = "model.tflite"


class FixedModel(ServedModel):
    """Encodes documents of at most `max_global_tokens` global tokens.

    The answer for a document with more is NaN: fixed shapes have no place for
    them.
    """

    def _encode(self, input_ids, attention_mask, global_mask):
        hidden = super()._encode(
            input_ids, attention_mask, global_mask, global_tokens_fit=True
        )
        wanted = tf.math.count_nonzero(global_mask, axis=1, dtype="int32")
        fits = wanted <= self.max_global_tokens
        nan = tf.constant(float("nan"), hidden.dtype)
        return tf.where(fits[:, None, None], hidden, nan)


def write_litert(model, directory, batch_size, length, target_length):
    """Writes `model.tflite` with the signatures `encode` and `forward`.

    Args:
        model: `LEDForConditionalGeneration`, under TensorFlow.
        directory: `pathlib.Path` of an existing directory.
        batch_size: int, `B`.
        length: int, tokens of a document, `L`; shorter ones are padded.
        target_length: int, tokens of `decoder_input_ids`, `T`.
    """
    served = FixedModel(model, max_global_tokens=model.max_global_tokens)
    sizes = {"input_ids": length, "decoder_input_ids": target_length}
    traced = {}
    with without_loops():
        for name, (function, inputs) in served.pure_functions().items():
            traced[name] = trace(
                function,
                {
                    spec.name: tf.TensorSpec(
                        [batch_size, sizes.get(spec.name, length)], "int32"
                    )
                    for spec in inputs
                },
            )
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(served, folder, signatures=traced)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(traced)
        )
        content = converter.convert()
    (directory / FILE).write_bytes(content)

"""The output classes of TensorFlow's LED, and how ours become them."""

from typing import TYPE_CHECKING
from typing import Any

import tensorflow as tf

from keras_led.outputs import LEDEncoderBaseModelOutput
from keras_led.outputs import LEDSeq2SeqLMOutput
from keras_led.outputs import LEDSeq2SeqModelOutput

if TYPE_CHECKING:
    from keras_led.outputs import ModelOutput


class TFLEDEncoderBaseModelOutput(LEDEncoderBaseModelOutput):
    """What the encoder of a TFLED model returns.

    The fields are those of `LEDEncoderBaseModelOutput`. Where attentions are
    asked for and no document has a global token, `global_attentions` holds
    tensors `(B, N, S, 0)`.
    """


class TFLEDSeq2SeqModelOutput(LEDSeq2SeqModelOutput):
    """What `TFLEDModel` returns.

    The fields are those of `LEDSeq2SeqModelOutput`; see
    `TFLEDEncoderBaseModelOutput` for documents without a global token.
    """


class TFLEDSeq2SeqLMOutput(LEDSeq2SeqLMOutput):
    """What `TFLEDForConditionalGeneration` returns.

    The fields are those of `LEDSeq2SeqLMOutput`, but `loss` has the shape
    `(1,)`.
    """


_GLOBAL = {
    "attentions": "global_attentions",
    "encoder_attentions": "encoder_global_attentions",
}


def to_tensorflow_output(
    output_class: "type[ModelOutput]", output: Any, return_dict: bool | None
) -> Any:
    """Makes the output of a TFLED model from one of ours.

    Args:
        output_class: One of the classes of this file.
        output: `ModelOutput` with the same fields.
        return_dict: bool, `False` for a tuple.

    Returns:
        The object; or the tuple, which lacks the global attentions, as it
        did in `transformers` 4.
    """
    fields = dict(output)
    for local, wide in _GLOBAL.items():
        if local in fields and wide not in fields:
            fields[wide] = tuple(_no_columns(layer) for layer in fields[local])
    if return_dict:
        return output_class(fields)
    for wide in _GLOBAL.values():
        fields.pop(wide, None)
    return output_class(fields).to_tuple()


def _no_columns(attentions):
    """The global attentions, `(B, N, S, 0)`, beside local `(B, N, S, W+1)`."""
    return tf.zeros_like(attentions[..., :0])

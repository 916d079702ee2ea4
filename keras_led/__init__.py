"""LED, the Longformer encoder-decoder, for Keras 3.

Long documents in, short texts out, on TensorFlow, JAX or PyTorch: set
`KERAS_BACKEND` before the first import, as with Keras itself.
"""

from keras_led._version import __version__
from keras_led.config import LEDConfig
from keras_led.generation import GenerateBeamEncoderDecoderOutput
from keras_led.generation import GenerateEncoderDecoderOutput
from keras_led.generation import GenerationConfig
from keras_led.generation import LogitsProcessor
from keras_led.generation import TextIteratorStreamer
from keras_led.generation import TextStreamer
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.models.led import LEDModel
from keras_led.models.question_answering import LEDForQuestionAnswering
from keras_led.models.sequence_classification import (
    LEDForSequenceClassification,
)
from keras_led.outputs import LEDEncoderBaseModelOutput
from keras_led.outputs import LEDSeq2SeqLMOutput
from keras_led.outputs import LEDSeq2SeqModelOutput
from keras_led.outputs import LEDSeq2SeqQuestionAnsweringModelOutput
from keras_led.outputs import LEDSeq2SeqSequenceClassifierOutput
from keras_led.tokenizer import BatchEncoding
from keras_led.tokenizer import LEDTokenizer
from keras_led.tokenizer import LEDTokenizerFast

_TENSORFLOW_NAMES = (
    "TFLEDEncoderBaseModelOutput",
    "TFLEDForConditionalGeneration",
    "TFLEDModel",
    "TFLEDSeq2SeqLMOutput",
    "TFLEDSeq2SeqModelOutput",
)


def __getattr__(name):
    """Imports the classes that need TensorFlow when they are first asked for.

    Under another backend, asking for them raises an `ImportError`.
    """
    if name in _TENSORFLOW_NAMES:
        from keras_led import tf

        return getattr(tf, name)
    raise AttributeError(f"module 'keras_led' has no attribute {name!r}")

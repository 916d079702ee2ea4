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

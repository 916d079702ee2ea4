"""LED, the Longformer encoder-decoder, for Keras 3.

Long documents in, short texts out, on TensorFlow, JAX or PyTorch: set
`KERAS_BACKEND` before the first import, as with Keras itself.

`import keras_led` loads nothing else: a name loads what it needs when it is
first asked for, Keras and its backend among that.
"""

from typing import TYPE_CHECKING

from keras_led import _keras_names
from keras_led._lazy_names import import_part
from keras_led._lazy_names import lazy_names
from keras_led._version import __version__

if TYPE_CHECKING:
    # What editors and type checkers read instead of the table below; `as`, and
    # `__all__`, tell them what is public.
    from keras_led.config import LEDConfig
    from keras_led.generation import GenerateBeamEncoderDecoderOutput
    from keras_led.generation import GenerateEncoderDecoderOutput
    from keras_led.generation import GenerationConfig
    from keras_led.generation import LogitsProcessor
    from keras_led.generation import TextIteratorStreamer
    from keras_led.generation import TextStreamer
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration,
    )
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
    from keras_led.tf import (
        TFLEDEncoderBaseModelOutput as TFLEDEncoderBaseModelOutput,
    )
    from keras_led.tf import (
        TFLEDForConditionalGeneration as TFLEDForConditionalGeneration,
    )
    from keras_led.tf import TFLEDModel as TFLEDModel
    from keras_led.tf import TFLEDSeq2SeqLMOutput as TFLEDSeq2SeqLMOutput
    from keras_led.tf import TFLEDSeq2SeqModelOutput as TFLEDSeq2SeqModelOutput
    from keras_led.tokenizer import BatchEncoding
    from keras_led.tokenizer import LEDTokenizer
    from keras_led.tokenizer import LEDTokenizerFast

_HOMES = {
    "BatchEncoding": "tokenizer",
    "GenerateBeamEncoderDecoderOutput": "generation",
    "GenerateEncoderDecoderOutput": "generation",
    "GenerationConfig": "generation",
    "LEDConfig": "config",
    "LEDEncoderBaseModelOutput": "outputs",
    "LEDForConditionalGeneration": "models.conditional_generation",
    "LEDForQuestionAnswering": "models.question_answering",
    "LEDForSequenceClassification": "models.sequence_classification",
    "LEDModel": "models.led",
    "LEDSeq2SeqLMOutput": "outputs",
    "LEDSeq2SeqModelOutput": "outputs",
    "LEDSeq2SeqQuestionAnsweringModelOutput": "outputs",
    "LEDSeq2SeqSequenceClassifierOutput": "outputs",
    "LEDTokenizer": "tokenizer",
    "LEDTokenizerFast": "tokenizer",
    "LogitsProcessor": "generation",
    "TextIteratorStreamer": "generation",
    "TextStreamer": "generation",
}

# Not in `__all__`: under another backend, asking for them raises an
# `ImportError`, and `from keras_led import *` has to work.
_TENSORFLOW_HOMES = {
    "TFLEDEncoderBaseModelOutput": "tf",
    "TFLEDForConditionalGeneration": "tf",
    "TFLEDModel": "tf",
    "TFLEDSeq2SeqLMOutput": "tf",
    "TFLEDSeq2SeqModelOutput": "tf",
}

# Parts of the package that `keras_led.NAME` finds without an import of its own.
_PARTS = (
    "attention",
    "backend",
    "checkpoints",
    "config",
    "data",
    "files",
    "formats",
    "generation",
    "hub",
    "layers",
    "losses",
    "models",
    "outputs",
    "tokenizer",
)

__all__ = [
    "BatchEncoding",
    "GenerateBeamEncoderDecoderOutput",
    "GenerateEncoderDecoderOutput",
    "GenerationConfig",
    "LEDConfig",
    "LEDEncoderBaseModelOutput",
    "LEDForConditionalGeneration",
    "LEDForQuestionAnswering",
    "LEDForSequenceClassification",
    "LEDModel",
    "LEDSeq2SeqLMOutput",
    "LEDSeq2SeqModelOutput",
    "LEDSeq2SeqQuestionAnsweringModelOutput",
    "LEDSeq2SeqSequenceClassifierOutput",
    "LEDTokenizer",
    "LEDTokenizerFast",
    "LogitsProcessor",
    "TextIteratorStreamer",
    "TextStreamer",
]


_find = lazy_names(__name__, {**_HOMES, **_TENSORFLOW_HOMES})


def __getattr__(name):
    """Imports a name when it is first asked for."""
    return import_part(f"{__name__}.{name}") if name in _PARTS else _find(name)


def __dir__():
    return sorted({*globals(), *_HOMES, *_TENSORFLOW_HOMES, *_PARTS})


_keras_names.register()

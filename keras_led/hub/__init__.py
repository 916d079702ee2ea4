"""LED as KerasHub has its models: strings in, strings out, presets.

`import keras_led.hub` imports `keras_hub` and registers the classes with
Keras; `import keras_led` alone does neither.
"""

# First: it says what to install where Keras lacks its backend.
from keras_led import backend

try:
    import keras_hub
except ModuleNotFoundError as error:
    raise ImportError(
        "`keras_led.hub` stands on KerasHub, which is not installed. Run: pip "
        "install 'keras-led[hub]'"
    ) from error

from keras_led.hub.converter import register_converter
from keras_led.hub.hub_backbone import LEDBackbone
from keras_led.hub.hub_tokenizer import LEDTokenizer
from keras_led.hub.samplers import LEDSampler
from keras_led.hub.seq2seq_lm import LEDSeq2SeqLM
from keras_led.hub.seq2seq_preprocessor import LEDSeq2SeqLMPreprocessor

__all__ = [
    "LEDBackbone",
    "LEDSampler",
    "LEDSeq2SeqLM",
    "LEDSeq2SeqLMPreprocessor",
    "LEDTokenizer",
    "register_converter",
]

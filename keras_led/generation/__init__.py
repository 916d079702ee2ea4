"""Generating text: greedy search, sampling, beam search and more."""

from keras_led.generation.mixin import GenerationMixin
from keras_led.generation.options.generation_config import GenerationConfig
from keras_led.generation.processors.scores import LogitsProcessor
from keras_led.generation.results.generate_outputs import (
    GenerateBeamEncoderDecoderOutput,
)
from keras_led.generation.results.generate_outputs import (
    GenerateEncoderDecoderOutput,
)
from keras_led.generation.results.streamers import TextIteratorStreamer
from keras_led.generation.results.streamers import TextStreamer

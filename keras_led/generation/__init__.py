"""Generating text: greedy search, sampling, beam search and more."""

from keras_led.generation.mixin import GenerationMixin
from keras_led.generation.options.config import GenerationConfig
from keras_led.generation.processors.scores import LogitsProcessor
from keras_led.generation.results.outputs import (
    GenerateBeamEncoderDecoderOutput,
)
from keras_led.generation.results.outputs import GenerateEncoderDecoderOutput
from keras_led.generation.results.streamers import TextIteratorStreamer
from keras_led.generation.results.streamers import TextStreamer

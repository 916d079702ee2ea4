"""Generating text: greedy search, sampling, beam search and more."""

from keras_led.generation.config import GenerationConfig
from keras_led.generation.mixin import GenerationMixin
from keras_led.generation.outputs import GenerateBeamEncoderDecoderOutput
from keras_led.generation.outputs import GenerateEncoderDecoderOutput
from keras_led.generation.processors import LogitsProcessor
from keras_led.generation.streamers import TextIteratorStreamer
from keras_led.generation.streamers import TextStreamer

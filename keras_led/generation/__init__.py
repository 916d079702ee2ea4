"""Generating text: greedy search, sampling, beam search and more.

A name is imported when it is first asked for: the searches run without Keras
too, see `tensor_ops`.
"""

from typing import TYPE_CHECKING

from keras_led._lazy_names import lazy_names as _lazy_names

if TYPE_CHECKING:
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

__all__ = [
    "GenerateBeamEncoderDecoderOutput",
    "GenerateEncoderDecoderOutput",
    "GenerationConfig",
    "GenerationMixin",
    "LogitsProcessor",
    "TextIteratorStreamer",
    "TextStreamer",
]

__getattr__ = _lazy_names(
    __name__,
    {
        "GenerateBeamEncoderDecoderOutput": "results.generate_outputs",
        "GenerateEncoderDecoderOutput": "results.generate_outputs",
        "GenerationConfig": "options.generation_config",
        "GenerationMixin": "mixin",
        "LogitsProcessor": "processors.scores",
        "TextIteratorStreamer": "results.streamers",
        "TextStreamer": "results.streamers",
    },
)

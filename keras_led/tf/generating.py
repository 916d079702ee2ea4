"""`generate` with the arguments of `transformers` 4 on TensorFlow."""

import inspect
from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import Unpack

from keras_led.generation.inputs.arguments import read_request
from keras_led.generation.loop.run import run_request
from keras_led.generation.options.keywords import TFGenerateArguments
from keras_led.generation.results.streamers import ended_after_an_error

if TYPE_CHECKING:
    from keras_led.generation.options.generation_config import GenerationConfig

_ATTRIBUTE = "_keras_led_xla_model"


class TFGenerationMixin:
    """Generation as `LEDForConditionalGeneration`, on XLA where asked for."""

    def generate(
        self,
        inputs: Any = None,
        generation_config: "GenerationConfig | None" = None,
        logits_processor: Sequence[Callable[..., Any]] | None = None,
        seed: Any = None,
        jit_compile: bool = False,
        **kwargs: Unpack[TFGenerateArguments],
    ) -> Any:
        """Writes an output for each document, token by token.

        Args:
            inputs: Int tensor `(B, S)`, or a dict with it and the masks; may
                also be given as `input_ids`.
            generation_config: `GenerationConfig`, or `None`.
            logits_processor: List of callables `(input_ids, scores)`, or as
                in `transformers` 4 `(input_ids, scores, cur_len)`.
            seed: int, or pair of ints.
            jit_compile: bool, whether XLA compiles the encoder and the loop.
                Sampling draws other tokens then, for the same seed.
            **kwargs: The other arguments of
                `LEDForConditionalGeneration.generate`.

        Returns:
            int32 tensor `(B * num_return_sequences, length)`, or an output
            object; as `LEDForConditionalGeneration.generate`.

        Raises:
            TypeError: If an argument is unknown or of a wrong type.
            ValueError: If a value does not fit.
        """
        arguments = {
            "inputs": inputs,
            "generation_config": generation_config,
            "logits_processor": [
                _without_length(processor)
                for processor in logits_processor or ()
            ],
            "seed": seed,
        }
        with ended_after_an_error(kwargs.get("streamer")):
            request = read_request(
                self.config, self.generation_config, {**kwargs, **arguments}
            )
            return run_request(self._by_xla() if jit_compile else self, request)  # pyright: ignore[reportArgumentType]

    def _by_xla(self):
        """This model, with compiled functions of its own."""
        if _ATTRIBUTE not in self.__dict__:
            object.__setattr__(self, _ATTRIBUTE, _ByXLA(self))
        return self.__dict__[_ATTRIBUTE]


class _ByXLA:
    """A model whose compiled functions `backend.jit` gives to XLA.

    Args:
        model: The model, which answers for everything else.
    """

    compile_with_xla = True

    def __init__(self, model):
        self._model = model

    def __getattr__(self, name):
        return getattr(self._model, name)


def _without_length(processor):
    """Gives a processor of `transformers` 4 the length that it asks for."""
    if hasattr(processor, "process"):
        return processor
    try:
        parameters = inspect.signature(processor).parameters.values()
    except (TypeError, ValueError):  # a builtin: it takes what it takes
        return processor
    required = [p for p in parameters if p.default is p.empty]
    if len(required) != 3:
        return processor
    return lambda input_ids, scores: processor(
        input_ids, scores, input_ids.shape[1]
    )

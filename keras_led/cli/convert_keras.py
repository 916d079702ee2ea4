"""Keras' own files as a format of `keras-led convert`."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras_led.checkpoints import names
from keras_led.typing import AnyLED

if TYPE_CHECKING:
    from keras_led.checkpoints.weight_set import WeightSet

KERAS_FILES = {"keras": "model.keras", "weights-h5": "model.weights.h5"}

_MODELS = {
    None: ("led", "LEDModel"),
    "generation": ("conditional_generation", "LEDForConditionalGeneration"),
    "classification": (
        "sequence_classification",
        "LEDForSequenceClassification",
    ),
    "question_answering": ("question_answering", "LEDForQuestionAnswering"),
}


def model_class(head: str | None) -> type[AnyLED]:
    """Returns the model class for a head; see `table.weight_shapes`.

    Args:
        head: str or `None`.
    """
    module, name = _MODELS[head]
    return getattr(importlib.import_module(f"keras_led.models.{module}"), name)


def keras_writers(
    source: "WeightSet", dtype: str | None
) -> dict[str, Callable[..., Any]]:
    """Returns the writers that `conversion.convert` takes.

    Args:
        source: `WeightSet`.
        dtype: str or `None`, type of the weights of the model.

    Returns:
        Dict of format names to callables `(tensors, directory)`.
    """

    def writer(to):
        def write(tensors, directory):
            held = {str(tensor.dtype) for tensor in tensors}
            wanted = dtype or (held.pop() if len(held) == 1 else "float32")
            model = model_class(source.head)(source.config, dtype=wanted)
            values = {tensor.name: tensor for tensor in tensors}
            for variable in model.weights:
                tensor = values[names.from_variable(variable.path)]
                variable.assign(tensor.values())
            path = str(directory / KERAS_FILES[to])
            if to == "keras":
                model.save(path)
            else:
                model.save_weights(path)

        return write

    return {to: writer(to) for to in KERAS_FILES}

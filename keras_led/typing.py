"""Names for the types in the signatures of this package.

They say what a function takes and returns, to readers, editors and type
checkers. Importing this file loads no library; at runtime the names of models
stand for anything.
"""

import os
from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias
from typing import TypeVar

if TYPE_CHECKING:
    from keras_led.models.base import LEDPreTrainedModel as AnyLED
    from keras_led.models.conditional_generation import (
        LEDForConditionalGeneration as GeneratingLED,
    )
else:
    AnyLED = GeneratingLED = Any

Tensor: TypeAlias = Any
"""A tensor of the backend that runs, or a symbolic tensor of Keras.

`tf.Tensor`, `jax.Array`, `torch.Tensor` and `keras.KerasTensor` have no class
in common, and a checker that knew one would reject the others: so `Any`. The
docstrings give dtype and shape.
"""

ArrayLike: TypeAlias = Any
"""A tensor, a numpy array, or nested lists of numbers."""

Shape: TypeAlias = tuple[int | None, ...]
"""A shape; `None` where a length is not known yet."""

StrPath: TypeAlias = str | os.PathLike[str]
"""A path, or what stands in its place, such as the id of a hub repository."""

Logs: TypeAlias = dict[str, Any]
"""What Keras hands to callbacks: names of losses and metrics to values."""

Cache: TypeAlias = tuple[tuple[Tensor, Tensor], ...]
"""Keys and values, one pair a layer."""

PastKeyValues: TypeAlias = tuple[tuple[Tensor, ...], ...]
"""One tuple of four tensors a layer, as `past_key_values` of a call."""

Texts: TypeAlias = str | Sequence[Any]
"""A text, a list of texts, or texts that are split into words already."""

F = TypeVar("F", bound=Callable[..., Any])
"""A function that a decorator returns with its signature."""

T = TypeVar("T")
"""Whatever type is handed through."""

D = TypeVar("D", bound=dict[str, Any])
"""A kind of dict."""

S = TypeVar("S", str, list[str])
"""A text where a text is given, a list where a list is."""

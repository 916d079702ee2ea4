"""Values of variables as they are stored, whatever the layers compute in."""

import contextlib
from collections.abc import Sequence
from typing import Any

try:
    from keras.src.backend.common.variables import AutocastScope
except ImportError:

    def AutocastScope(dtype):
        """Leaves casts on: in mixed precision gradients are added in it."""
        return contextlib.nullcontext()


def stored_values(variables: Sequence[Any]) -> list[Any]:
    """Tensors of Keras variables, without the cast of mixed precision."""
    with AutocastScope(None):
        return [variable.value for variable in variables]

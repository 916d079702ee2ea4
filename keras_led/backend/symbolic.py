"""How Keras runs a model for its shapes alone, on placeholders.

A private name of Keras 3.15, in this file only. Without it a `keras.Model`
that holds an LED has to build its layers in `build_from_config` of its own.
"""

from typing import Any

import keras

try:
    from keras.src.backend.common.symbolic_scope import in_symbolic_scope
except ImportError:

    def in_symbolic_scope():
        """Whether Keras asks for shapes alone: unknown."""
        return False


# JAX has names for unknown sizes, which Python cannot compare with numbers.
NEEDS_SIZES = keras.backend.backend() == "jax"
# Sizes that stand for an unknown one in a first and a second run: what then
# differs is unknown in the output. Keras' own, which it takes on PyTorch.
STAND_INS = (83, 89)


def is_stand_in(size: Any) -> bool:
    """Whether `size` is no number of the user's."""
    return in_symbolic_scope() and size in STAND_INS

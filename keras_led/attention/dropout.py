"""Dropout from explicit seeds, which may run inside loops and branches."""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import keras


def dropout(x: Tensor, rate: float, seed: Any) -> Tensor:
    """Zeroes each entry with probability `rate` and scales up the others.

    Unlike `keras.layers.Dropout` it holds no state, so it can run inside
    loops, branches and rematerialized functions of every backend.

    Args:
        x: Float tensor of any shape.
        rate: float in `[0, 1)`, probability of a zero.
        seed: A seed of `draw_seed`, or an int tensor of shape `(2,)`; `None`
            for no dropout.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    if seed is None or rate == 0:
        return x
    keep = backend.keep_at_random(seed, backend.shape(x), rate)
    return ops.where(keep, x / (1.0 - rate), ops.zeros((), dtype=x.dtype))


def fold_seed(seed: Any, data: int | Tensor) -> Any:
    """Derives a seed for one of several uses of `seed`.

    Args:
        seed: A seed of `draw_seed`, or an int tensor of shape `(2,)`; `None`
            for no dropout.
        data: int or int32 scalar tensor, distinct for each use.

    Returns:
        A seed likewise, or `None`.
    """
    return None if seed is None else backend.fold_in(seed, data)


def draw_seed(generator: "keras.random.SeedGenerator") -> Any:
    """Draws the seed of one training call, another one on each replica.

    Replicas hold the same state; with the same noise on the rows of each,
    dropout would do less.

    Args:
        generator: `keras.random.SeedGenerator`.

    Returns:
        A seed of the backend's.
    """
    seed = backend.draw_seed(generator)
    replica = backend.replica()
    return seed if replica is None else backend.fold_in(seed, replica)

"""The softmax over attention scores."""

import numpy as np
from keras import ops

from keras_led import backend
from keras_led.typing import Tensor

# What is added to the score of a key that may not be attended to. Any score
# that occurs is lost in it, and exp(x - max) of the sum is exactly 0. It is
# finite because a row of -inf gives inf - inf = NaN, also in the gradient.
MASKED_SCORE = np.finfo("float32").min
KEPT_SCORE = np.float32(0)


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Normalizes attention scores over the keys, in float32.

    A row that keeps no key becomes uniform over all keys, as in Hugging Face,
    whose finite fill value has the same effect.

    Args:
        scores: Float tensor of shape `(..., T, S)`, scaled.
        mask: Bool tensor that broadcasts to it, `True` keeps, or `None`.

    Returns:
        Float32 tensor of the shape of `scores`.
    """
    # float32 whatever the policy: a sum of 16k float16 terms loses digits.
    scores = backend.cast(scores, "float32")
    if mask is not None:
        # A sum takes half the time of a choice between whole scores.
        scores = scores + backend.number_where(mask, KEPT_SCORE, MASKED_SCORE)
    return softmax(scores)


def softmax(scores: Tensor) -> Tensor:
    """Normalizes over the last axis, which may hold a single score."""
    if scores.shape[-1] == 1:  # `ops.softmax` warns, as of a mistake.
        return ops.ones_like(scores)
    return ops.softmax(scores, axis=-1)

"""The softmax over attention scores."""

from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from keras_led import backend
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards

# What is added to the score of a key that may not be attended to. Any score
# that occurs is lost in it, and exp(x - max) of the sum is exactly 0. It is
# finite because a row of -inf gives inf - inf = NaN, also in the gradient.
MASKED_SCORE = np.finfo("float32").min
KEPT_SCORE = np.float32(0)


def masked_softmax(
    scores: Tensor,
    mask: Tensor | None,
    shards: "DocumentShards | None" = None,
) -> Tensor:
    """Normalizes attention scores over the keys, in float32.

    A row that keeps no key becomes uniform over all keys, as in Hugging Face,
    whose finite fill value has the same effect.

    Args:
        scores: Float tensor of shape `(..., T, S)`, scaled.
        mask: Bool tensor that broadcasts to it, `True` keeps, or `None`.
        shards: `DocumentShards` where each of them has the scores of its own
            keys, `None` where they are here.

    Returns:
        Float32 tensor of the shape of `scores`.
    """
    # float32 whatever the policy: a sum of 16k float16 terms loses digits.
    scores = backend.cast(scores, "float32")
    if mask is not None:
        # A sum takes half the time of a choice between whole scores.
        scores = scores + bias_of(mask)
    return softmax(scores) if shards is None else _over_shards(scores, shards)


def bias_of(mask: Tensor) -> Tensor:
    """What a mask, `True` keeps, adds to scores: 0 to those kept, float32."""
    return backend.number_where(mask, KEPT_SCORE, MASKED_SCORE)


def softmax(scores: Tensor) -> Tensor:
    """Normalizes over the last axis, which may hold a single score."""
    if scores.shape[-1] == 1:  # `ops.softmax` warns, as of a mistake.
        return ops.ones_like(scores)
    return ops.softmax(scores, axis=-1)


def _over_shards(scores, shards):
    """Normalizes over the last axis of all shards, by one message.

    What each shard would divide by, and its largest score, are two numbers for
    each query; nothing depends on the latter but digits.
    """
    largest = ops.stop_gradient(ops.max(scores, axis=-1, keepdims=True))
    weights = ops.exp(scores - largest)
    total = ops.sum(weights, axis=-1, keepdims=True)
    both = ops.concatenate([largest, total], axis=-1)
    both = backend.gather_over_shards(both, shards)  # (shards, ..., T, 2)
    each_largest = ops.stop_gradient(both[..., :1])
    overall = ops.max(each_largest, axis=0)
    total = ops.sum(ops.exp(each_largest - overall) * both[..., 1:], axis=0)
    return weights * (ops.exp(largest - overall) / total)

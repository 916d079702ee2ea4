"""The softmax over attention scores, and dropout of the weights."""

from keras import activations
from keras import ops

from keras_led import backend

# exp(x - max) is exactly 0 in float32 for such a score. It is finite because
# a row of -inf gives inf - inf = NaN, in the result and in the gradient.
MASKED_SCORE = -1e9


def masked_softmax(scores, mask):
    """Normalizes attention scores over the keys, in float32.

    A row that keeps no key becomes uniform over all keys, as in the peers,
    whose finite fill value has the same effect.

    Args:
        scores: Float tensor of shape `(..., T, S)`, scaled.
        mask: Bool tensor that broadcasts to it, `True` keeps, or `None`.

    Returns:
        Float32 tensor of the shape of `scores`.
    """
    # float32 whatever the policy: a sum of 16k float16 terms loses digits.
    scores = ops.cast(scores, "float32")
    if mask is not None:
        scores = ops.where(mask, scores, MASKED_SCORE)
    return softmax(scores)


def softmax(scores):
    """Normalizes over the last axis; unlike `ops.softmax`, also one of 1."""
    return activations.softmax(scores, axis=-1)


def dropout(x, rate, seed):
    """Zeroes each entry with probability `rate` and scales up the others.

    Unlike `keras.layers.Dropout` it holds no state, so it can run inside
    loops, branches and rematerialized functions of every backend.

    Args:
        x: Float tensor of any shape.
        rate: float in `[0, 1)`, probability of a zero.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    if seed is None or rate == 0:
        return x
    keep = backend.uniform(seed, ops.shape(x)) >= rate
    return ops.where(keep, x / (1.0 - rate), ops.zeros((), dtype=x.dtype))

"""The softmax over attention scores."""

from keras import ops

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
    """Normalizes over the last axis, which may hold a single score."""
    if scores.shape[-1] == 1:  # `ops.softmax` warns, as of a mistake.
        return ops.ones_like(scores)
    return ops.softmax(scores, axis=-1)

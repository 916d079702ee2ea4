"""Layer normalization of JAX, which XLA makes few passes of."""

from keras import ops


def layer_norm(x, gamma, beta, epsilon):
    """Normalizes the last axis, as `tensorflow_norm.layer_norm`."""
    normalized = ops.layer_normalization(x, gamma, beta, -1, epsilon)
    return normalized.astype(x.dtype)

"""Checks of requests inside a graph."""

import tensorflow as tf

from keras_led.typing import Tensor


def require(tensor: Tensor, *rules: tuple[Tensor, str]) -> Tensor:
    """Returns `tensor`, once it has been found to keep some rules.

    A request that breaks one fails with INVALID_ARGUMENT and its message,
    before any operation that reads the tensor could fail with another.

    Args:
        tensor: the tensor.
        *rules: pairs of a bool scalar tensor and a message.
    """
    checks = [tf.debugging.Assert(kept, [message]) for kept, message in rules]
    with tf.control_dependencies(checks):
        return tf.identity(tensor)


def require_ids(
    name: str, ids: Tensor, limit: int | None, vocab_size: int
) -> Tensor:
    """Returns token ids of known tokens, not longer than the model reads.

    Args:
        name: str, of the input.
        ids: Int tensor, to be of shape `(B, L)`.
        limit: int, longest `L`.
        vocab_size: int.
    """
    # The runtime itself does not look at the rank of a request.
    ids = tf.ensure_shape(ids, [None, None])
    known = tf.logical_and(ids >= 0, ids < vocab_size)
    return require(
        ids,
        (tf.size(ids) > 0, f"`{name}` must hold at least one token."),
        (
            tf.shape(ids)[1] <= limit,  # pyright: ignore[reportOperatorIssue]
            f"`{name}` must not be longer than {limit} tokens.",
        ),
        (
            tf.reduce_all(known),
            f"`{name}` must hold ids from 0 to {vocab_size - 1}.",
        ),
    )


def require_mask(name: str, mask: Tensor, input_ids: Tensor) -> Tensor:
    """Returns a mask of the shape of `input_ids`."""
    same = tf.equal(tf.shape(input_ids), tf.shape(mask))
    return require(
        mask,
        (
            tf.reduce_all(same),
            f"`{name}` must have the shape of `input_ids`.",
        ),
    )

"""Sets of tokens as masks over the vocabulary, without a loop over it."""

from collections.abc import Iterable

import numpy as np

from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor

FORBIDDEN = float("-inf")


def tokens_present(tokens: Tensor, used: Tensor, vocab_size: int) -> Tensor:
    """Marks which tokens occur in each row.

    Args:
        tokens: int32 tensor `(R, L)`.
        used: bool tensor that broadcasts to `(R, L)`; `False` entries of
            `tokens` do not count.
        vocab_size: int, `V`.

    Returns:
        Bool tensor `(R, V)`. Tokens outside `[0, V)` are left out.
    """
    # Everything that does not count lands in a spare column, cut off below.
    inside = ops.logical_and(tokens >= 0, tokens < vocab_size)
    column = ops.where(ops.logical_and(used, inside), tokens, vocab_size)
    rows = (
        ops.zeros_like(column)
        + ops.arange(ops.shape(column)[0], dtype=column.dtype)[:, None]
    )
    where = ops.stack(
        [ops.reshape(rows, (-1,)), ops.reshape(column, (-1,))], axis=1
    )  # (R * L, 2)
    empty = ops.zeros((ops.shape(column)[0], vocab_size + 1), dtype="int32")
    marks = ops.scatter_update(empty, where, ops.ones_like(where[:, 0]))
    return ops.cast(marks[:, :vocab_size], "bool")


def token_mask(token_ids: Iterable[int], vocab_size: int) -> np.ndarray:
    """Returns a numpy bool array `(V,)`, `True` at `token_ids`.

    Args:
        token_ids: iterable of int in `[0, V)`.
        vocab_size: int, `V`.
    """
    mask = np.zeros(vocab_size, "bool")
    mask[list(token_ids)] = True
    return mask


def forbid(scores: Tensor, token_ids: Iterable[int]) -> Tensor:
    """Sets the scores `(R, V)` of some tokens to `-inf`."""
    mask = token_mask(token_ids, scores.shape[-1])
    return ops.where(mask, FORBIDDEN, scores)


def allow_only(scores: Tensor, token_ids: Iterable[int]) -> Tensor:
    """Sets the scores `(R, V)` of some tokens to 0, all others to `-inf`."""
    mask = token_mask(token_ids, scores.shape[-1])
    return ops.where(mask, ops.zeros_like(scores), FORBIDDEN)

"""The user's own Python code between two steps of generation."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_led.generation.tensor_ops import ops
from keras_led.typing import Tensor


class ProcessorHook:
    """Wraps a callable `(input_ids, scores) -> scores` of the user.

    It runs outside the compiled code, once a step, on the tokens so far.

    Args:
        function: callable of an int32 tensor `(R, length)` and a float32
            tensor `(R, V)`; returns scores of the same shape.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __call__(self, tokens: Tensor, scores: Tensor) -> Tensor:
        changed = ops.convert_to_tensor(
            self.function(tokens, scores), dtype="float32"
        )
        if tuple(changed.shape) != tuple(scores.shape):
            raise ValueError(
                "Each of `logits_processor` must return scores of the shape "
                f"it got. Received: shape={tuple(changed.shape)}, expected "
                f"{tuple(scores.shape)}."
            )
        return changed


class PrefixHook:
    """Applies `prefix_allowed_tokens_fn`: only some tokens may come next.

    Args:
        function: callable of the document's index (int) and its tokens so far
            (1-D numpy array), which returns the ids allowed next.
        rows: int, rows per document.
    """

    def __init__(self, function: Callable[..., Any], rows: int):
        self.function = function
        self.rows = rows

    def __call__(self, tokens: Tensor, scores: Tensor) -> Tensor:
        tokens = ops.convert_to_numpy(tokens)
        closed = np.full(tuple(scores.shape), -np.inf, "float32")
        for row, sequence in enumerate(tokens):
            document = row // self.rows
            allowed = list(self.function(document, sequence))
            if not allowed:
                raise ValueError(
                    "`prefix_allowed_tokens_fn` must allow at least one "
                    f"token. Received: [] for document {document} after "
                    f"{sequence.tolist()}."
                )
            closed[row, allowed] = 0.0
        changed = ops.convert_to_numpy(scores) + closed
        # A document all of whose rows are stuck gets the allowed tokens at
        # score 0, so that the constraint holds (as in Hugging Face).
        stuck = np.all(np.isneginf(changed), axis=-1)
        stuck = stuck.reshape(-1, self.rows).all(axis=-1)
        stuck = np.repeat(stuck, self.rows)[:, None]
        return ops.convert_to_tensor(np.where(stuck, closed, changed))

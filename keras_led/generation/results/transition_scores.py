"""The score of each generated token, read from the outputs of `generate`."""

import numpy as np

from keras_led.generation.inputs.document_batch import read_array
from keras_led.typing import Tensor


def transition_scores(
    sequences: Tensor,
    scores: tuple[Tensor, ...],
    beam_indices: Tensor | None = None,
    normalize_logits: bool = False,
) -> np.ndarray:
    """Finds the score with which each token was chosen.

    In beam search the sum over a row, divided by the number of its tokens to
    the power of `length_penalty`, is its `sequences_scores`.

    Args:
        sequences: int array or tensor `(rows, length)`.
        scores: tuple of float tensors `(R, V)`, one per generated token.
        beam_indices: int tensor `(rows, new tokens)`, row of `scores` of each
            token, -1 after the end; without it, row `i` is row `i`.
        normalize_logits: bool, take the log-softmax of the scores first.

    Returns:
        Numpy float32 array `(rows, new tokens)`; 0 after the end of a beam's
        sequence.

    Raises:
        ValueError: If there are no scores.
    """
    if not scores:
        raise ValueError(
            "`scores` must hold the scores of each step. Received: "
            f"scores={scores!r}. Call `generate` with output_scores=True and "
            "return_dict_in_generate=True."
        )
    steps = np.stack([read_array(step) for step in scores])  # (T, R, V)
    if normalize_logits:
        largest = steps.max(axis=-1, keepdims=True)
        size = np.exp(steps - largest).sum(axis=-1, keepdims=True)
        steps = steps - largest - np.log(size)
    sequences = read_array(sequences)
    count = len(steps)
    if beam_indices is None:
        rows = np.arange(len(sequences))[:, None]
        rows = np.broadcast_to(rows, (len(sequences), count))
    else:
        rows = read_array(beam_indices)
        count = rows.shape[1]
    tokens = sequences[:, sequences.shape[1] - count :]
    ended = rows < 0
    chosen = steps[
        np.arange(count)[None, :],
        np.where(ended, 0, rows),
        np.where(ended, 0, tokens),
    ]
    return np.where(ended, 0.0, chosen).astype("float32")

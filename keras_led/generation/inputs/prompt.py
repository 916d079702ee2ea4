"""The decoder side of `generate`: the tokens that the output begins with."""

from typing import Any

import numpy as np

from keras_led.generation.inputs.document_batch import read_array
from keras_led.generation.inputs.document_batch import read_ids
from keras_led.typing import Tensor


def read_prompt(
    options: dict[str, Any],
    size: int,
    vocab_size: int,
    decoder_input_ids: Tensor | None = None,
    decoder_mask: Tensor | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Checks the prompt and lets it begin with the start token.

    The start token is put in front when no row begins with it.

    Args:
        options: dict from `GenerationConfig.resolve`.
        size: int, `B`.
        vocab_size: int, `V`.
        decoder_input_ids: integers `(B, P)`, or `None`.
        decoder_mask: `(B, P)`, 0 at padding, or `None`.

    Returns:
        Pair of an int32 array `(B, P)` and an int32 array `(B, P)` or `None`.

    Raises:
        TypeError: If ids are not integers.
        ValueError: If there is no start token, or shapes or values are wrong.
    """
    start = _start_tokens(options, size, vocab_size)
    if decoder_input_ids is None:
        if decoder_mask is not None:
            raise ValueError(
                "`decoder_attention_mask` needs `decoder_input_ids`. "
                "Received: decoder_input_ids=None."
            )
        return start, None
    prompt = read_ids("decoder_input_ids", decoder_input_ids, vocab_size)
    if prompt.shape[0] != size or prompt.shape[1] == 0:
        raise ValueError(
            f"`decoder_input_ids` must have one row for each of the {size} "
            "documents, and at least one token. "
            f"Received: shape={prompt.shape}."
        )
    mask = None if decoder_mask is None else read_array(decoder_mask)
    if mask is not None and mask.shape != prompt.shape:
        raise ValueError(
            "`decoder_attention_mask` must have the shape of "
            f"`decoder_input_ids`, {prompt.shape}. "
            f"Received: shape={mask.shape}."
        )
    if np.all(prompt[:, :1] != start):
        prompt = np.concatenate([start, prompt], axis=1)
        if mask is not None:
            mask = np.concatenate([np.ones_like(mask[:, :1]), mask], axis=1)
    return prompt, None if mask is None else (mask != 0).astype("int32")


def _start_tokens(options, size, vocab_size):
    """The start token of each document, int32 `(B, 1)`."""
    start = options["decoder_start_token_id"]
    if start is None:
        start = options["bos_token_id"]
    if start is None:
        raise ValueError(
            "`decoder_start_token_id` (or `bos_token_id`) must be set. "
            "Received: decoder_start_token_id=None. LED uses 2."
        )
    if isinstance(start, list) and len(start) != size:
        raise ValueError(
            "`decoder_start_token_id` must be one id, or one for each of the "
            f"{size} documents. "
            f"Received: decoder_start_token_id={start}."
        )
    array = np.asarray(start, "int32").reshape(-1, 1)
    return np.broadcast_to(array, (size, 1)).copy()

"""From examples of various lengths to the arrays of a batch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_led.data.tasks import Example
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


def pad_sources(
    examples: "Sequence[Example]",
    batch_size: int,
    length: int,
    tokenizer: "LEDTokenizer",
) -> dict[str, np.ndarray]:
    """The inputs of the encoder.

    Rows that fill up an incomplete batch read `<s></s>`; their targets do not
    count, so that the loss is that of the real rows.

    Args:
        examples: list of `Example`, at most `batch_size`.
        batch_size: int, `B`.
        length: int, `L`, in tokens.
        tokenizer: `LEDTokenizer`, for its special tokens.

    Returns:
        Dict of int32 arrays of shape `(B, L)`: `input_ids`,
        `attention_mask` and `global_attention_mask`.
    """
    ids = np.full((batch_size, length), tokenizer.pad_token_id, "int32")
    mask = np.zeros((batch_size, length), "int32")
    global_mask = np.zeros((batch_size, length), "int32")
    filling = tokenizer.build_inputs_with_special_tokens([])
    for row in range(batch_size):
        source, global_tokens = filling, 1
        if row < len(examples):
            source = examples[row].source
            global_tokens = examples[row].global_tokens
        ids[row, : len(source)] = source
        mask[row, : len(source)] = 1
        global_mask[row, :global_tokens] = 1
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": global_mask,
    }


def pad_targets(
    examples: "Sequence[Example]", batch_size: int, length: int, filling: int
) -> np.ndarray:
    """Target tokens of every row.

    Args:
        examples: list of `Example`.
        batch_size: int, `B`.
        length: int, `T`, in tokens.
        filling: int, the value behind the targets, and of missing rows.

    Returns:
        int32 array of shape `(B, T)`.
    """
    labels = np.full((batch_size, length), filling, "int32")
    for row, example in enumerate(examples):
        labels[row, : len(example.target)] = example.target
    return labels

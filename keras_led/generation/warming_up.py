"""Compiling before the first document comes."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_led.generation.inputs.document_batch import bucket_length


def warm_up(
    model: Any,
    lengths: Iterable[int],
    batch_sizes: Iterable[int],
    options: dict[str, Any],
) -> None:
    """Generates once for each bucket of lengths and number of documents.

    Args:
        model: offers `config` and `generate`.
        lengths: ints, tokens of a document.
        batch_sizes: ints, documents at once.
        options: dict of arguments of `generate`.

    Raises:
        ValueError: If a number is out of range.
    """
    limit = model.config.max_encoder_position_embeddings
    lengths, batch_sizes = list(lengths), list(batch_sizes)
    for name, numbers, most in (
        ("lengths", lengths, limit),
        ("batch_sizes", batch_sizes, None),
    ):
        for number in numbers:
            if number < 1 or (most is not None and number > most):
                bound = "at least 1" if most is None else f"from 1 to {most}"
                raise ValueError(
                    f"`{name}` must hold numbers {bound}. Received: {number}."
                )
    sizes = {bucket_length(length, limit) for length in lengths}
    for rows in sorted(set(batch_sizes)):
        for length in sorted(sizes):
            # A token that ends nothing; what is written does not matter.
            ids = np.full((rows, length), model.config.vocab_size - 1, "int32")
            first = np.zeros_like(ids)
            first[:, 0] = 1
            model.generate(
                ids,
                attention_mask=np.ones_like(ids),
                global_attention_mask=first,
                **options,
            )

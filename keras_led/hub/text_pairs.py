"""Documents and the texts to write about them, as rows of one batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_led.argument_checks import did_you_mean
from keras_led.hub.text_values import is_text

TEXTS = ("encoder_text", "decoder_text")


def pair_of(x: Any, y: Any) -> tuple[Any, Any]:
    """The documents and the targets of a call.

    Args:
        x: dict of `TEXTS`, pair of documents and targets, or documents.
        y: targets, where `x` is the documents alone, or `None`.

    Raises:
        ValueError: If one of the two is missing.
    """
    if isinstance(x, dict):
        check_keys(x)
        if "decoder_text" in x:
            return x["encoder_text"], x["decoder_text"]
        x = x["encoder_text"]
    elif y is None and isinstance(x, tuple) and len(x) == 2:
        return x
    if y is None or not is_text(y):
        received = "None" if y is None else f"a {type(y).__name__}"
        raise ValueError(
            "A training batch must hold documents and the texts to write: "
            "pass `(sources, targets)`, a dict of 'encoder_text' and "
            "'decoder_text', or the targets as `y`. Received: documents, and "
            f"y={received}."
        )
    return x, y


def check_keys(x: dict[str, Any]) -> None:
    """Raises unless a dict of texts holds documents, and nothing unknown."""
    for name in x:
        if name not in TEXTS:
            hint = did_you_mean(name, TEXTS)
            raise ValueError(
                f"`x` must hold {' and '.join(map(repr, TEXTS))}. Received: "
                f"{name!r}.{hint}"
            )
    if "encoder_text" not in x:
        raise ValueError(
            "`x` must hold 'encoder_text', the documents. Received: "
            f"{', '.join(map(repr, x)) or 'an empty dict'}."
        )


def check_rows(sources: list[str], targets: list[str]) -> None:
    """Raises unless there is a target for each document."""
    if len(sources) != len(targets):
        raise ValueError(
            "`decoder_text` must have a text for each of `encoder_text`, "
            f"{len(sources)}. Received: {len(targets)} texts."
        )


def check_row_length(name: str, value: Any) -> None:
    """Raises unless `value` can be the length of a row, in tokens."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 2:
        raise ValueError(
            f"`{name}` must be a number of tokens, at least 2. "
            f"Received: {name}={value!r}."
        )


def pad_rows(
    rows: Sequence[Sequence[int]], length: int, pad: int
) -> tuple[np.ndarray, np.ndarray]:
    """Arrays of the ids and of their mask, int32 `(B, length)`."""
    ids = np.full((len(rows), length), pad, "int32")
    mask = np.zeros((len(rows), length), "int32")
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask

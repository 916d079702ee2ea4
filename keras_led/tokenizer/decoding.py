"""From token ids back to text."""

import functools
import itertools
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.tensors import to_lists

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

# Spaces that detokenizers of the BERT kind leave before these.
CLEAN_UPS = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def read_ids(name: str, value: Any) -> Any:
    """Turns ids in any form into Python ints.

    Args:
        name: str, what the caller calls `value`.
        value: int, list, or array of one or two axes.

    Returns:
        int, list of int, or list of lists of int.

    Raises:
        TypeError: If there is something other than integers.
        ValueError: If an id is negative.
    """
    return _check_ids(name, to_lists(value))


def _check_ids(name, value):
    if isinstance(value, list):
        return [_check_ids(name, item) for item in value]
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"`{name}` must hold integers. Received: {value!r} of type "
            f"{type(value).__name__}."
        )
    if value < 0:
        raise ValueError(
            f"`{name}` must hold ids of the vocabulary, from 0. Received: "
            f"{value}. In labels, -100 stands for a position without a label: "
            "replace it with `tokenizer.pad_token_id`."
        )
    return int(value)


def decode_ids(
    tokenizer: "LEDTokenizer",
    ids: list[int],
    skip_special_tokens: bool,
    clean_up: bool | None,
    spaces: bool = False,
) -> str:
    """Decodes one row.

    Args:
        tokenizer: the tokenizer.
        ids: list of int. Ids outside the vocabulary give no text.
        skip_special_tokens: bool.
        clean_up: bool, whether to remove spaces before punctuation.
        spaces: bool, whether to put spaces around added tokens.

    Returns:
        str.
    """
    if skip_special_tokens:
        special = skipped_ids(tokenizer)
        ids = [index for index in ids if index not in special]
    rows = [ids]
    if spaces:
        added = tokenizer.added_tokens_decoder
        rows = [
            [index for _, index in group]
            for _, group in itertools.groupby(
                enumerate(ids), lambda x: x[0] if x[1] in added else -1
            )
        ]
    text = " ".join(_join(tokenizer, row) for row in rows)
    if clean_up:
        for old, new in CLEAN_UPS:
            text = text.replace(old, new)
    return text


def _join(tokenizer, ids):
    if tokenizer.errors == "replace":
        return tokenizer.backend_tokenizer.decode(
            ids, skip_special_tokens=False
        )
    tokens = tokenizer.convert_ids_to_tokens(ids)
    return tokens_to_text(tokenizer, [t for t in tokens if t is not None])


def skipped_ids(tokenizer: "LEDTokenizer") -> set[int]:
    """Returns the set of the ids that `skip_special_tokens` leaves out.

    Args:
        tokenizer: the tokenizer. Beside its named and additional special
            tokens it may have others that were added as special.
    """
    added = tokenizer.added_tokens_decoder.items()
    return {
        *tokenizer.all_special_ids,
        *(index for index, token in added if token.special),
    }


def tokens_to_text(tokenizer: "LEDTokenizer", tokens: list[str]) -> str:
    """Joins tokens and turns their byte characters into text.

    Args:
        tokenizer: the tokenizer; its `errors` says what becomes of bytes that
            are no UTF-8.
        tokens: list of str.

    Returns:
        str.
    """
    if tokenizer.errors == "replace":
        return tokenizer.backend_tokenizer.decoder.decode(list(tokens))
    content = b"".join(map(token_bytes, tokens))
    return content.decode("utf-8", errors=tokenizer.errors)


def token_bytes(token: str) -> bytes:
    """Returns the bytes of the text that a token (str) stands for."""
    values = byte_values()
    try:
        return bytes(values[char] for char in token)
    except KeyError:  # an added token, which is plain text
        return token.encode("utf-8")


@functools.cache
def byte_values() -> dict[str, int]:
    """Maps each of the 256 characters that stand for bytes to its byte.

    Printable bytes of Latin-1 stand for themselves; the others are numbered
    from U+0100 on.

    Returns:
        dict from str of length 1 to int.

    Source:
        GPT-2, Radford et al., 2019, section 2.2, and its `bytes_to_unicode`.
    """
    printable = {
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    }
    values = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(256) if byte not in printable]
    values.update({chr(256 + i): byte for i, byte in enumerate(others)})
    return values

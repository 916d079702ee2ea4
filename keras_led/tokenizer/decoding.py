"""From token ids back to text."""

import functools

from keras_led.tokenizer.tensors import to_lists

# Spaces that detokenizers of the BERT kind leave before these.
_CLEAN_UPS = (
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


def read_ids(name, value):
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


def decode_ids(tokenizer, ids, skip_special_tokens, clean_up):
    """Decodes one row.

    Args:
        tokenizer: the tokenizer.
        ids: list of int. Ids outside the vocabulary give no text.
        skip_special_tokens: bool.
        clean_up: bool, whether to remove spaces before punctuation.

    Returns:
        str.
    """
    if skip_special_tokens:
        special = set(tokenizer.all_special_ids)
        ids = [index for index in ids if index not in special]
    if tokenizer.errors == "replace":
        text = tokenizer.backend_tokenizer.decode(
            ids, skip_special_tokens=skip_special_tokens
        )
    else:
        tokens = tokenizer.convert_ids_to_tokens(ids)
        known = [token for token in tokens if token is not None]
        text = tokens_to_text(tokenizer, known)
    if clean_up:
        for old, new in _CLEAN_UPS:
            text = text.replace(old, new)
    return text


def tokens_to_text(tokenizer, tokens):
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
    values = byte_values()
    content = bytearray()
    for token in tokens:
        if all(char in values for char in token):
            content += bytes(values[char] for char in token)
        else:  # an added token, which is plain text
            content += token.encode("utf-8")
    return content.decode("utf-8", errors=tokenizer.errors)


@functools.cache
def byte_values():
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

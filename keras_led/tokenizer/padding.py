"""Filling up encoded rows to one length."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.batch_encoding import BatchEncoding
from keras_led.tokenizer.tensors import kind_of
from keras_led.tokenizer.tensors import to_lists

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer
    from keras_led.tokenizer.options import Lengths

# In `global_attention_mask` 0 means local attention, so 0 cannot mean "no
# token here"; -1 keeps the position out of the encoder's attention.
GLOBAL_PAD = -1


def pad_encodings(
    tokenizer: "LEDTokenizer", encodings: list[Any], lengths: "Lengths"
) -> None:
    """Fills up `tokenizers.Encoding` objects, in place.

    Args:
        tokenizer: the tokenizer, for its pad token.
        encodings: list of `tokenizers.Encoding`; the overflowing parts of
            each are filled up too.
        lengths: `Lengths` of the call.
    """
    if not lengths.pads:
        return
    length = lengths.padded_length([len(row) for row in encodings])
    for row in encodings:
        row.pad(
            length,
            direction=lengths.padding_side,
            pad_id=tokenizer.pad_token_id,
            pad_token=tokenizer.pad_token,
            pad_type_id=tokenizer.pad_token_type_id,
        )


def pad_inputs(
    tokenizer: "LEDTokenizer",
    inputs: dict[str, Any],
    lengths: "Lengths",
    return_attention_mask: bool | None,
    kind: str | None,
) -> BatchEncoding:
    """Fills up inputs that are encoded already.

    Args:
        tokenizer: the tokenizer, for its pad token and default outputs.
        inputs: dict of rows, dict of lists of rows, or list of dicts of rows.
        lengths: `Lengths` of the call.
        return_attention_mask: bool, or `None` for the tokenizer's default.
        kind: str, kind of arrays to return, or `None` for lists, or the kind
            of arrays in `inputs`.

    Returns:
        A new `BatchEncoding`; `inputs` stays as it is.
    """
    columns, kind_found = _columns(inputs)
    main = tokenizer.model_input_names[0]
    if main not in columns:
        raise ValueError(
            f"`encoded_inputs` must hold `{main}`. Received: keys="
            f"{', '.join(columns) or 'none'}."
        )
    # A row is a list of ints, a batch is a list of rows.
    ids = columns[main]
    single = bool(ids) and not isinstance(ids[0], list)
    if single:
        columns = {name: [value] for name, value in columns.items()}
    _check_batch(columns, main)
    if return_attention_mask is None:
        return_attention_mask = "attention_mask" in tokenizer.model_input_names
    if return_attention_mask and "attention_mask" not in columns:
        columns["attention_mask"] = [[1] * len(row) for row in columns[main]]
    if lengths.pads:
        columns = _pad_columns(
            columns, main, lengths, _fill_values(tokenizer, main)
        )
    if single:
        columns = {name: value[0] for name, value in columns.items()}
    return BatchEncoding(columns, tensor_type=kind or kind_found)


def _fill_values(tokenizer, main):
    return {
        main: tokenizer.pad_token_id,
        "attention_mask": 0,
        "token_type_ids": tokenizer.pad_token_type_id,
        "special_tokens_mask": 1,
        "global_attention_mask": GLOBAL_PAD,
    }


def _columns(inputs):
    """Returns a dict of lists, and the kind of arrays found, or `None`."""
    if isinstance(inputs, Mapping):
        columns = dict(inputs)
    elif isinstance(inputs, list | tuple) and all(
        isinstance(row, Mapping) for row in inputs
    ):
        names = list(inputs[0]) if inputs else []
        for number, row in enumerate(inputs):
            if set(row) != set(names):
                raise ValueError(
                    "`encoded_inputs` must have the same keys in every row. "
                    f"Received: {', '.join(names)} in row 0, and "
                    f"{', '.join(row)} in row {number}."
                )
        columns = {name: [row[name] for row in inputs] for name in names}
    else:
        raise TypeError(
            "`encoded_inputs` must be what the tokenizer returns, or a list of "
            f"such dicts. Received: {type(inputs).__name__}."
        )
    kind = None
    for value in columns.values():
        first = value[0] if isinstance(value, list) and value else value
        kind = kind or kind_of(value) or kind_of(first)
    return {name: to_lists(value) for name, value in columns.items()}, kind


def _check_batch(columns, main):
    rows = len(columns[main])
    for name, value in columns.items():
        if len(value) != rows:
            raise ValueError(
                f"`{name}` must have as many rows as `{main}`. Received: "
                f"{len(value)} rows of `{name}`, {rows} of `{main}`."
            )


def _pad_columns(columns, main, lengths, fill_values):
    target = lengths.padded_length([len(row) for row in columns[main]])
    padded = dict(columns)
    for name, fill in fill_values.items():
        if name not in columns:
            continue
        padded[name] = []
        for number, row in enumerate(columns[name]):
            tokens = len(columns[main][number])
            final = max(target, tokens)
            # The global mask may have been made for the padded row already.
            if len(row) not in (tokens, final):
                raise ValueError(
                    f"`{name}` must be as long as `{main}`. Received: row "
                    f"{number} with {len(row)} values for {tokens} tokens."
                )
            filling = [fill] * (final - len(row))
            if lengths.padding_side == "right":
                padded[name].append(row + filling)
            else:
                padded[name].append(filling + row)
    return padded

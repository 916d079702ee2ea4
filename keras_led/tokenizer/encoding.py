"""From texts to rows of token ids."""

import dataclasses
from typing import TYPE_CHECKING
from typing import Any

from keras_led.tokenizer.batch_encoding import BatchEncoding
from keras_led.tokenizer.byte_level_bpe import is_library_error
from keras_led.tokenizer.options import Lengths
from keras_led.tokenizer.padding import pad_encodings
from keras_led.typing import Texts

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer


@dataclasses.dataclass(frozen=True)
class EncodeOptions:
    """What a call of the tokenizer asks for; its docstring explains each."""

    lengths: Lengths
    add_special_tokens: bool
    add_prefix_space: bool
    split_special_tokens: bool
    stride: int
    is_split_into_words: bool
    batch_axis: bool
    return_token_type_ids: bool
    return_attention_mask: bool
    return_overflowing_tokens: bool
    return_special_tokens_mask: bool
    return_offsets_mapping: bool
    return_length: bool
    verbose: bool


def encode(
    tokenizer: "LEDTokenizer",
    texts: Texts,
    pairs: Texts | None,
    options: EncodeOptions,
    names: tuple[str, str] = ("text", "text_pair"),
) -> BatchEncoding:
    """Encodes one text, one pair, or a batch of either.

    Args:
        tokenizer: the tokenizer.
        texts: str, list of str, or with `is_split_into_words` lists of words.
        pairs: the second texts in the same form, or `None`.
        options: `EncodeOptions`.
        names: pair of str, what the caller calls `texts` and `pairs`.

    Returns:
        A `BatchEncoding`.
    """
    rows, is_batch = read_texts(texts, pairs, options, names)
    _check_room(tokenizer, rows, options)
    encodings = _run(tokenizer, rows, options)
    pad_encodings(tokenizer, encodings, options.lengths)
    flat, origin = [], []
    for number, row in enumerate(encodings):
        parts = [row]
        if options.return_overflowing_tokens:
            parts += row.overflowing
        flat += parts
        origin += [number] * len(parts)
    data = _columns(flat, options)
    if options.return_overflowing_tokens:
        data["overflow_to_sample_mapping"] = origin
    if options.verbose and options.lengths.max_length is None:
        _warn_if_too_long(tokenizer, flat)
    if not is_batch and not options.batch_axis:
        data = {
            name: value[0] if isinstance(value[0], list) else value
            for name, value in data.items()
        }
    return BatchEncoding(data, flat)


def read_texts(
    texts: Texts,
    pairs: Texts | None,
    options: EncodeOptions,
    names: tuple[str, str],
) -> tuple[list[Any], bool]:
    """Brings every form of input into one: a list of rows.

    Args:
        texts: see `encode`.
        pairs: see `encode`. Without it, rows of a batch may be pairs
            themselves, as tuples or lists of two.
        options: `EncodeOptions`.
        names: see `encode`.

    Returns:
        Pair of the list of rows, each a text or a tuple of two, and a bool,
        whether the input was a batch.

    Raises:
        TypeError: If an input is not text; it is named with its position.
        ValueError: If `texts` and `pairs` differ in length.
    """
    split = options.is_split_into_words
    is_batch = isinstance(texts, list | tuple)
    if split:
        is_batch = (
            is_batch and bool(texts) and isinstance(texts[0], list | tuple)
        )
    if not is_batch:
        texts = [_text(names[0], texts, split)]
        pairs = None if pairs is None else [pairs]
    elif pairs is None:
        return [
            _row(f"{names[0]}[{i}]", row, split) for i, row in enumerate(texts)
        ], True
    elif not isinstance(pairs, list | tuple):
        raise TypeError(
            f"`{names[1]}` must be a list, as `{names[0]}` is. Received: "
            f"{names[1]} of type {type(pairs).__name__}."
        )
    if pairs is None:
        return texts, is_batch  # pyright: ignore[reportReturnType]
    if len(texts) != len(pairs):
        raise ValueError(
            f"`{names[1]}` must have as many texts as `{names[0]}`. Received: "
            f"{len(pairs)} and {len(texts)}."
        )
    suffix = "[{}]" if is_batch else ""
    return [
        (
            _text(names[0] + suffix.format(i), first, split),
            _text(names[1] + suffix.format(i), second, split),
        )
        for i, (first, second) in enumerate(zip(texts, pairs, strict=True))
    ], is_batch


def _row(name, row, split):
    """Reads one row of a batch, which may hold a pair."""
    if isinstance(row, list | tuple) and len(row) == 2:
        if not split or all(isinstance(part, list | tuple) for part in row):
            return tuple(_text(f"{name}[{i}]", row[i], split) for i in (0, 1))
    return _text(name, row, split)


def _text(name, value, split):
    """Checks one text, or its list of words."""
    if not split:
        if isinstance(value, str):
            return value
        if isinstance(value, list | tuple):
            advice = (
                "Pass `is_split_into_words=True` for texts that are lists of "
                "words."
            )
        else:
            advice = "Pass a str, or a list of str for a batch."
        raise TypeError(
            f"`{name}` must be a str. Received: {name} of type "
            f"{type(value).__name__}. {advice}"
        )
    if isinstance(value, list | tuple):
        for i, word in enumerate(value):
            if not isinstance(word, str):
                raise TypeError(
                    f"`{name}[{i}]` must be a str. Received: {name}[{i}] of "
                    f"type {type(word).__name__}."
                )
        return list(value)
    raise TypeError(
        f"`{name}` must be a list of words with `is_split_into_words=True`. "
        f"Received: {name} of type {type(value).__name__}."
    )


def _check_room(tokenizer, rows, options):
    """Refuses lengths under which nothing of a text would be left."""
    if options.add_special_tokens:
        tokenizer.check_marks()
    lengths = options.lengths
    if not lengths.truncates:
        return
    has_pair = any(isinstance(row, tuple) for row in rows)
    if lengths.truncation == "only_second" and not all(
        isinstance(row, tuple) for row in rows
    ):
        raise ValueError(
            "`truncation='only_second'` needs pairs of texts. Received: a "
            "single text. Pass `text_pair`, or `truncation=True`."
        )
    special = 0
    if options.add_special_tokens:
        special = tokenizer.num_special_tokens_to_add(pair=has_pair)
    if lengths.max_length < special:
        raise ValueError(
            f"`max_length` must leave room for the {special} special tokens. "
            f"Received: max_length={lengths.max_length}."
        )
    if not 0 <= options.stride < max(1, lengths.max_length - special):
        raise ValueError(
            "`stride` must be at least 0 and smaller than the tokens of text "
            f"in a row. Received: stride={options.stride}, with "
            f"max_length={lengths.max_length}, of which {special} are special "
            "tokens."
        )


def _run(tokenizer, rows, options):
    """Calls the backend; turns its errors into ours."""
    try:
        return tokenizer.run_backend(rows, options)
    except TypeError as error:
        # Everything is a str by now, so some text is no valid Unicode.
        found = _surrogate_error(rows)
        if found is None:
            raise
        raise found from error
    except BaseException as error:
        if not is_library_error(error):
            raise
        raise ValueError(
            "`truncation` cannot be done as asked: a text is too short to be "
            "cut, or `stride` is not smaller than the part of it that is left. "
            f"Received: truncation={options.lengths.truncation!r}, max_length="
            f"{options.lengths.max_length}, stride={options.stride}."
        ) from error


def _surrogate_error(rows):
    for number, row in enumerate(rows):
        words = row if isinstance(row, tuple) else (row,)
        for word in words:
            for part in [word] if isinstance(word, str) else word:
                try:
                    part.encode("utf-8")
                except UnicodeEncodeError as error:
                    return ValueError(
                        "A text must be valid Unicode. Received: a lone "
                        f"surrogate at character {error.start} of text "
                        f"{number}. Clean it with `text.encode('utf-8', "
                        "'replace').decode()`."
                    )
    return None


def _columns(encodings, options):
    """Picks the outputs asked for, in Hugging Face's order."""
    columns = {"input_ids": [row.ids for row in encodings]}
    if options.return_token_type_ids:
        columns["token_type_ids"] = [row.type_ids for row in encodings]
    if options.return_attention_mask:
        columns["attention_mask"] = [row.attention_mask for row in encodings]
    if options.return_special_tokens_mask:
        columns["special_tokens_mask"] = [
            row.special_tokens_mask for row in encodings
        ]
    if options.return_offsets_mapping:
        columns["offset_mapping"] = [row.offsets for row in encodings]
    if options.return_length:
        columns["length"] = [len(row) for row in encodings]
    return columns


def _warn_if_too_long(tokenizer, encodings):
    longest = max((len(row) for row in encodings), default=0)
    if longest > tokenizer.model_max_length > 0:
        tokenizer.warn_once(
            "too long",
            "A text is longer than the model takes: "
            f"{longest} tokens, and `model_max_length` is "
            f"{tokenizer.model_max_length}. Pass `truncation=True` to cut it.",
        )

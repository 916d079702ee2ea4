"""Checks of the call arguments, before any long work."""

import difflib
import functools
import inspect
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from keras_led import backend
from keras_led.losses.language_modeling import IGNORED_LABEL
from keras_led.models.placeholders import with_integers
from keras_led.models.values import dtype_of
from keras_led.models.values import value_range
from keras_led.typing import F
from keras_led.typing import Shape
from keras_led.typing import Tensor


def merge_first_argument(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Takes a dict given as first argument apart into keywords.

    Args:
        args: Tuple of positional arguments.
        kwargs: Dict of keyword arguments; they win over the dict's entries.

    Returns:
        Tuple of the remaining `args` and `kwargs`.
    """
    if args and isinstance(args[0], Mapping):
        return args[1:], {**args[0], **kwargs}
    if isinstance(kwargs.get("input_ids"), Mapping):
        inputs = kwargs["input_ids"]
        return args, {**kwargs, "input_ids": None, **inputs}
    return args, kwargs


def takes_dict(call: F) -> F:
    """Lets the `call` of a model take a dict of its arguments.

    `keras.Model.__call__` passes a dict on as it is, and JAX's training loop
    calls `call` itself. Placeholders for integers become such.
    """
    names = argument_names(call)

    @functools.wraps(call)
    def call_with_merged(self, *args, **kwargs):
        args, kwargs = merge_first_argument(args, kwargs)
        check_names(kwargs, names, type(self).__name__)
        args, kwargs = with_integers(self, names, args, kwargs)
        return call(self, *args, **kwargs)

    return call_with_merged  # pyright: ignore[reportReturnType]


@functools.cache
def argument_names(call: Callable[..., Any]) -> tuple[str, ...]:
    """Tuple of str, the arguments of a method `call` without `self`."""
    return tuple(inspect.signature(call).parameters)[1:]


def check_names(
    kwargs: Iterable[str], known: Iterable[str], where: str
) -> None:
    """Raises if a keyword is unknown, with the nearest known one.

    Args:
        kwargs: Iterable of str, the names given.
        known: Iterable of str, the names that `where` takes.
        where: str, the callable that the message names.

    Raises:
        TypeError: If a name is unknown.
    """
    known = list(known)
    for name in kwargs:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise TypeError(
                f"`{where}` has no argument `{name}`.{hint} "
                f"Its arguments are {', '.join(known)}."
            )


def check_ids_or_embeds(
    ids_name: str, input_ids: Tensor, embeds_name: str, inputs_embeds: Tensor
) -> None:
    """Raises unless exactly one of token ids and embeddings is given."""
    if (input_ids is None) == (inputs_embeds is None):
        given = "neither" if input_ids is None else "both"
        raise ValueError(
            f"Exactly one of `{ids_name}` and `{embeds_name}` must be given. "
            f"Received: {given}."
        )


def check_ids(name: str, ids: Tensor, vocab_size: int) -> None:
    """Checks the rank, size, dtype and (outside a trace) range of token ids.

    Args:
        name: str, name of the argument.
        ids: Int tensor or array of shape `(B, T)`.
        vocab_size: int, ids go from 0 to `vocab_size - 1`.

    Raises:
        ValueError: If the rank, the size or a value is wrong.
        TypeError: If `ids` is no array, or does not hold integers.
    """
    check_rank(name, ids, 2, "(batch, length)")
    check_integers(name, ids, ", the ids of tokens")
    check_not_empty(name, ids)
    for value in value_range(ids) or ():
        if not 0 <= value < vocab_size:
            raise ValueError(
                f"`{name}` must hold token ids from 0 to {vocab_size - 1} "
                f"(`config.vocab_size` is {vocab_size}). "
                f"Received: an id of {value}. "
                "Check that the tokenizer belongs to the model."
            )


def check_labels(name: str, labels: Tensor, num_classes: int) -> None:
    """Checks labels: class numbers, or -100 for one that does not count.

    Args:
        name: str, name of the argument.
        labels: Int tensor or array.
        num_classes: int, classes go from 0 to `num_classes - 1`.

    Raises:
        ValueError: If there are none, or a value is wrong.
        TypeError: If `labels` is no array, or does not hold integers.
    """
    check_array(name, labels)
    check_integers(name, labels)
    check_not_empty(name, labels)
    found = value_range(labels)
    if found is None or (found[0] >= 0 and found[1] < num_classes):
        return
    numpy = np if isinstance(labels, np.ndarray) else ops
    fits = (labels >= 0) & (labels < num_classes)
    fits = fits | numpy.equal(labels, IGNORED_LABEL)
    if not bool(numpy.all(fits)):
        raise ValueError(
            f"`{name}` must be from 0 to {num_classes - 1}, or "
            f"{IGNORED_LABEL} where they do not count. "
            f"Received: values from {found[0]} to {found[1]}."
        )


def check_array(name: str, value: Any) -> None:
    """Raises unless `value` is an array or tensor."""
    if not hasattr(value, "shape"):
        raise TypeError(
            f"`{name}` must be an array or tensor. "
            f"Received: a {type(value).__name__}. Make lists one by "
            "`np.array`, and token ids of texts with a tokenizer."
        )


def check_integers(name: str, tensor: Tensor, meaning: str = "") -> None:
    """Raises unless `tensor` holds integers, of which `meaning` tells."""
    dtype = dtype_of(tensor)
    if "int" not in dtype:
        raise TypeError(
            f"`{name}` must hold integers{meaning}. Received: dtype={dtype}."
        )


def check_not_empty(name: str, tensor: Tensor) -> None:
    """Raises if an axis of `tensor` is known to be empty."""
    if 0 in tensor.shape:
        raise ValueError(
            f"`{name}` must hold at least one row and one token. "
            f"Received: shape {tuple(tensor.shape)}."
        )


def check_same_rows(
    name: str, tensor: Tensor | None, others: dict[str, Any]
) -> None:
    """Raises if `tensor` has another batch size than the documents.

    Args:
        name: str, name of the argument.
        tensor: Tensor of shape `(B, ...)`, or `None`.
        others: dict of the arguments that hold the documents, of which some
            are `None`, by their names.

    Raises:
        ValueError: If two known sizes differ.
    """
    for other, documents in others.items():
        if tensor is None or documents is None:
            continue
        rows, wanted = tensor.shape[0], documents.shape[0]
        known = isinstance(rows, int) and isinstance(wanted, int)
        if known and rows != wanted:
            raise ValueError(
                f"`{name}` must have a row for each document of `{other}`, "
                f"{wanted}. Received: {rows} rows."
            )


def check_embeds(name: str, embeds: Tensor, d_model: int) -> None:
    """Raises unless `embeds` has the shape `(B, T, d_model)`."""
    check_rank(name, embeds, 3, "(batch, length, d_model)")
    check_not_empty(name, embeds)
    if embeds.shape[-1] != d_model:
        raise ValueError(
            f"`{name}` must end in the model's hidden dim, {d_model}. "
            f"Received: shape {tuple(embeds.shape)}."
        )


def check_mask(name: str, mask: Tensor, batch_and_length: Shape) -> None:
    """Raises unless `mask` is `None` or of the shape of the tokens."""
    if mask is None:
        return
    check_rank(name, mask, 2, "(batch, length)")
    check_shape(name, mask, batch_and_length)


def check_shape(name: str, tensor: Tensor, expected: Shape) -> None:
    """Raises if a known size of `tensor` differs from a known expected one."""
    shape = tuple(tensor.shape)
    fits = len(shape) == len(expected) and all(
        size == wanted or size is None or not isinstance(wanted, int)
        for size, wanted in zip(shape, expected, strict=True)
    )
    if not fits:
        raise ValueError(
            f"`{name}` must have the shape {tuple(expected)}. "
            f"Received: shape {shape}."
        )


def check_document_length(
    name: str, length: int | None, max_positions: int
) -> None:
    """`check_length` of a document."""
    check_length(
        name,
        length,
        max_positions,
        "max_encoder_position_embeddings",
        "Truncate the document, or extend the table.",
    )


def check_length(
    name: str, length: int | None, max_positions: int, table: str, remedy: str
) -> None:
    """Raises if a sequence is longer than its position table.

    Args:
        name: str, name of the argument.
        length: int, in tokens, or `None` if unknown.
        max_positions: int, rows of the table.
        table: str, the config field that sets them.
        remedy: str, what else the user can do.

    Raises:
        ValueError: If `length` is larger than `max_positions`.
    """
    if backend.is_stand_in(length):
        return
    if isinstance(length, int) and length > max_positions:
        raise ValueError(
            f"`{name}` must be at most {max_positions} tokens long, the size "
            f"of the position table (`config.{table}`). "
            f"Received: {length} tokens. {remedy}"
        )


def check_rank(name: str, tensor: Tensor, rank: int, meaning: str) -> None:
    """Raises unless `tensor` has `rank` axes, of which `meaning` tells."""
    check_array(name, tensor)
    if len(tensor.shape) != rank:
        raise ValueError(
            f"`{name}` must have rank {rank}, {meaning}. "
            f"Received: shape {tuple(tensor.shape)}."
        )

"""The products of windowed attention, as XLA runs them fastest.

Global keys stay apart from those of the window: joined, both are copied for
each block (148 ms a layer of led-base, 4,096 tokens, two cores; 127 apart).
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from keras_led.backend.jax.compile import in_inference
from keras_led.backend.jax.products import MAPPED_ROWS
from keras_led.typing import Tensor

# Numbers of hidden states that a CPU's cache holds, beside others.
CACHED_SIZE = 2**22

# How query, key and value lie in memory, as axes of `(B, N, L, H)`, and which
# of these is that of the tokens: as the attention reads them, turning none.
_LAYOUTS = (((0, 2, 1, 3), 1), ((0, 1, 3, 2), 3), ((0, 1, 2, 3), 2))


def map_operands(function: Callable[..., Any], x: Tensor) -> tuple[Any, ...]:
    """In pieces only where no gradient is taken.

    A training step of as many tokens would take a fifth longer; 4,096 tokens
    lose 1 % of the encoder.
    """
    cached = x.size <= CACHED_SIZE
    if cached or jax.default_backend() != "cpu" or not in_inference():
        return function(x)
    batch, length, _ = x.shape
    pieces = min(length, math.ceil(batch * length / MAPPED_ROWS))
    size = math.ceil(length / pieces)
    shapes = jax.eval_shape(function, x[:, :size])

    def body(piece, operands):
        # The last piece begins early enough to be as long as the others.
        start = piece * size
        parts = function(jax.lax.dynamic_slice_in_dim(x, start, size, axis=1))
        return tuple(
            jax.lax.dynamic_update_slice_in_dim(
                operand, jnp.transpose(part, axes), start, axis
            )
            for operand, part, (axes, axis) in zip(
                operands, parts, _LAYOUTS, strict=True
            )
        )

    def buffer(part, axes, axis):
        shape = [part.shape[i] for i in axes]
        shape[axis] = length
        # Filled from `x`: zeros XLA makes for all layers at once.
        return jnp.full(shape, x[0, 0, 0], part.dtype)

    operands = tuple(
        buffer(part, *layout)
        for part, layout in zip(shapes, _LAYOUTS, strict=True)
    )
    operands = jax.lax.fori_loop(0, pieces, body, operands)
    return tuple(
        jnp.transpose(operand, axes)  # each order turns itself back
        for operand, (axes, _) in zip(operands, _LAYOUTS, strict=True)
    )


def spans(x: Tensor, positions: Tensor | None = None) -> Callable[..., Any]:
    beside = None if positions is None else take_keys(x, positions)
    return _reader(x, beside, axis=2)


def key_spans(
    key: Tensor, positions: Tensor | None = None
) -> Callable[..., Any]:
    beside = None
    if positions is not None:
        beside = jnp.swapaxes(take_keys(key, positions), 2, 3)
    return _reader(jnp.swapaxes(key, 2, 3), beside, axis=3)


def _reader(x, beside, axis):
    def read(starts, size, heads=None, joined=False):
        if starts.shape[0] == 1:
            found = _slice(x, heads, axis, starts[0], size)[:, :, None]
        else:
            places = starts[:, None] + jnp.arange(size)
            found = jnp.take(_slice(x, heads), places, axis, mode="clip")
            found = jnp.moveaxis(found, axis, 2)
        if beside is None:
            return (found,)
        first = _slice(beside, heads)[:, :, None]
        shape = (*found.shape[:3], *first.shape[3:])
        first = jnp.broadcast_to(first, shape)
        if joined:
            return (jnp.concatenate([first, found], axis + 1),)
        return first, found

    return read


def _slice(x, heads, axis=2, start=0, size=None):
    begin, shape = [0] * x.ndim, list(x.shape)
    if heads is not None:
        begin[1], shape[1] = heads
    if size is not None:
        begin[axis], shape[axis] = start, size
    return jax.lax.dynamic_slice(x, begin, shape)


def scores(query: Tensor, key: Tensor, bias: Tensor, scale: float) -> Tensor:
    return _scores(query, jnp.swapaxes(key, -1, -2), bias, scale)


def _scores(query, turned_key, bias, scale):
    return (query * scale @ turned_key).astype("float32") + bias


def attend(
    query: Tensor,
    keys: tuple[Any, ...],
    values: tuple[Any, ...],
    bias: Tensor,
    scale: float,
) -> Tensor:
    parts, seen = [], 0
    for key in keys:
        slots = key.shape[-1]
        part = bias[..., seen : seen + slots]
        parts.append(_scores(query, key, part, scale))
        seen += slots
    largest = jnp.max(parts[0], axis=-1, keepdims=True)
    for part in parts[1:]:
        largest = jnp.maximum(largest, jnp.max(part, axis=-1, keepdims=True))
    parts = [jnp.exp(part - largest) for part in parts]
    total = sum(jnp.sum(part, axis=-1, keepdims=True) for part in parts)
    context = sum(
        (part.astype(value.dtype) @ value).astype("float32")
        for part, value in zip(parts, values, strict=True)
    )
    return (context / total).astype(query.dtype)


def attend_gradients() -> Callable[..., Any] | None:
    return None


def fused_attention(
    query: Tensor, value: Tensor
) -> Callable[..., Tensor] | None:
    return None


def times(x: Tensor, y: Tensor) -> Tensor:
    return x @ y


def times_transposed(x: Tensor, y: Tensor) -> Tensor:
    return x @ jnp.swapaxes(y, -1, -2)


def take_keys(x: Tensor, positions: Tensor) -> Tensor:
    batch, num_heads, length, head_dim = x.shape
    heads = jnp.arange(batch * num_heads).reshape(batch, num_heads, 1)
    rows = positions[:, None, :] + length * heads
    return jnp.take(x.reshape(-1, head_dim), rows, axis=0, mode="clip")

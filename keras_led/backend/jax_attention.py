"""The products of windowed attention, as XLA runs them fastest.

Global keys stay apart from those of the window: joined, both are copied for
each block (148 ms a layer of led-base, 4,096 tokens, two cores; 127 apart).
"""

import jax
import jax.numpy as jnp


def spans(x, positions=None):
    """Prepares values to be read, as `tensorflow_attention.spans`."""
    beside = None if positions is None else take_keys(x, positions)
    return _reader(x, beside, axis=2)


def key_spans(key, positions=None):
    """Prepares keys to be read by `attend`, with the tokens as last axis.

    Turned all at once: products want them so, and XLA would turn each slice
    of them (led-base, 4,096 tokens: 3 % of the encoder).
    """
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


def scores(query, key, bias, scale):
    """`scale * query @ key^T + bias`, as `tensorflow_attention.scores`."""
    return _scores(query, jnp.swapaxes(key, -1, -2), bias, scale)


def _scores(query, turned_key, bias, scale):
    return (query * scale @ turned_key).astype("float32") + bias


def attend(query, keys, values, bias, scale):
    """Attention to keys and values, as `tensorflow_attention.attend`."""
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


def times(x, y):
    """`x @ y` for float tensors `(B, N, blocks, ...)`."""
    return x @ y


def times_transposed(x, y):
    """`x @ y^T` likewise."""
    return x @ jnp.swapaxes(y, -1, -2)


def take_keys(x, positions):
    """Takes those of every head, as `tensorflow_attention.take_keys`."""
    batch, num_heads, length, head_dim = x.shape
    heads = jnp.arange(batch * num_heads).reshape(batch, num_heads, 1)
    rows = positions[:, None, :] + length * heads
    return jnp.take(x.reshape(-1, head_dim), rows, axis=0, mode="clip")

"""The products of windowed attention, as XLA runs them fastest.

Global keys stay apart from those of the window: joined, both are copied for
each block (148 ms a layer of led-base, 4,096 tokens, two cores; 127 apart).
"""

import jax
import jax.numpy as jnp


def spans(x, beside=None):
    """Prepares keys or values to be read, as `tensorflow_attention.spans`."""

    def read(starts, size, heads=None, joined=False):
        if starts.shape[0] == 1:
            found = _slice(x, heads, starts[0], size)[:, :, None]
        else:
            places = starts[:, None] + jnp.arange(size)
            every = _slice(x, heads, 0, x.shape[2])
            found = jnp.take(every, places, axis=2, mode="clip")
        if beside is None:
            return (found,)
        first = _slice(beside, heads, 0, beside.shape[2])[:, :, None]
        shape = (*found.shape[:3], *first.shape[3:])
        first = jnp.broadcast_to(first, shape)
        if joined:
            return (jnp.concatenate([first, found], axis=3),)
        return first, found

    return read


def _slice(x, heads, start, size):
    first, count = heads or (0, x.shape[1])
    shape = (x.shape[0], count, size, x.shape[3])
    return jax.lax.dynamic_slice(x, (0, first, start, 0), shape)


def scores(query, key, bias, scale):
    """`scale * query @ key^T + bias`, as `tensorflow_attention.scores`."""
    products = times_transposed(query * scale, key)
    return products.astype("float32") + bias


def attend(query, keys, values, bias, scale):
    """Attention to what `spans` read, as `tensorflow_attention.attend`."""
    parts, seen = [], 0
    for key in keys:
        part = bias[..., seen : seen + key.shape[-2]]
        parts.append(scores(query, key, part, scale))
        seen += key.shape[-2]
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

"""The products of windowed attention, as XLA runs them fastest.

Global keys stay apart from those of the window: joined, both are copied for
each block (148 ms a layer of led-base, 4,096 tokens, two cores; 127 apart).
"""

import jax
import jax.numpy as jnp


def spans(x, beside=None):
    """Prepares keys or values to be read, as `tensorflow_attention.spans`."""
    # What nothing reads is not computed.
    turned = jnp.swapaxes(x, 2, 3)
    beside_turned = None if beside is None else jnp.swapaxes(beside, 2, 3)

    def read(starts, size, transposed=False, joined=False):
        axis = 3 if transposed else 2
        table, first = (turned, beside_turned) if transposed else (x, beside)
        parts = [_slices(table, axis, starts, size)]
        if beside is not None:
            shape = (*first.shape[:2], starts.shape[0], *first.shape[2:])
            parts.insert(0, jnp.broadcast_to(first[:, :, None], shape))
        if joined:
            parts = [jnp.concatenate(parts, axis=axis + 1)]
        if transposed:
            parts = [jnp.swapaxes(part, 3, 4) for part in parts]
        return tuple(parts)

    return read


def _slices(x, axis, starts, size):
    """Slices of `x` along `axis`, in a new axis 2."""
    if starts.shape[0] == 1:
        found = jax.lax.dynamic_slice_in_dim(x, starts[0], size, axis)
        return found[:, :, None]
    rows = starts[:, None] + jnp.arange(size)
    found = jnp.take(x, rows, axis, mode="clip")
    return jnp.moveaxis(found, axis, 2)


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

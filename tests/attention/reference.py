"""Dense attention in numpy float64: obviously right, quadratic, slow."""

import numpy as np


def draw(seed, *shape):
    """Random float32 numbers of a shape, scores of which differ."""
    values = np.random.default_rng(seed).standard_normal(shape)
    return (1.5 * values).astype("float32")


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def local_pairs(window_keys, global_mask, attention_window):
    """Who sees whom among local rows: `(B, L, L)`, query by key."""
    position = np.arange(window_keys.shape[1])
    near = np.abs(position[:, None] - position[None, :])
    band = near <= attention_window // 2
    return (band[None] & window_keys[:, None, :]) | global_mask[:, None, :]


def attend(query, key, value, pairs):
    """Context and weights of `(B, N, T, H)` queries under `(B, T, S)` pairs.

    Rows that see nothing are left out of the meaning: their weights are 0.
    """
    scores = query.astype("float64") @ key.astype("float64").swapaxes(-1, -2)
    scores = np.where(pairs[:, None], scores, -np.inf)
    seen = pairs.any(axis=-1)[:, None, :, None]
    weights = softmax(np.where(seen, scores, 0.0)) * seen
    return weights @ value, weights


def window_layout(weights, global_mask, attention_window):
    """Dense weights `(B, N, L, L)` as `(B, N, L, G + W + 1)`.

    First the weights of each row's global tokens in order of position, then
    the window around each query, without the global tokens in it.
    """
    batch, heads, length, _ = weights.shape
    side = attention_window // 2
    counts = global_mask.sum(axis=1)
    most = counts.max(initial=0)
    result = np.zeros((batch, heads, length, most + attention_window + 1))
    for b in range(batch):
        positions = np.flatnonzero(global_mask[b])
        result[b, :, :, : len(positions)] = weights[b][:, :, positions]
        for i in range(length):
            for j in range(max(0, i - side), min(length, i + side + 1)):
                if not global_mask[b, j]:
                    slot = most + side + j - i
                    result[b, :, i, slot] = weights[b, :, i, j]
    return result


def split(x, num_heads):
    """`(B, L, D) -> (B, N, L, H)`."""
    batch, length, dim = x.shape
    return x.reshape(batch, length, num_heads, dim // num_heads).swapaxes(1, 2)


def merge(x):
    """`(B, N, L, H) -> (B, L, D)`."""
    batch, num_heads, length, head_dim = x.shape
    return x.swapaxes(1, 2).reshape(batch, length, num_heads * head_dim)


def encoder_self_attention(
    x, weights, num_heads, attention_window, padding_mask, global_mask
):
    """The whole self-attention of an encoder layer, without output dense.

    Args:
        x: array `(B, L, D)`.
        weights: dict of name ("query", "key_global", …) to (kernel, bias).
        num_heads: int, `N`.
        attention_window: int, both sides together.
        padding_mask: bool array `(B, L)`, `True` is a real token.
        global_mask: bool array `(B, L)`, real tokens only.

    Returns:
        Array `(B, L, D)`; rows of padding are 0.
    """
    x = x.astype("float64")

    def project(name):
        kernel, bias = weights[name]
        return split(x @ kernel + bias, num_heads)

    scale = (x.shape[-1] // num_heads) ** -0.5
    window_keys = padding_mask & ~global_mask
    local, _ = attend(
        project("query") * scale,
        project("key"),
        project("value"),
        local_pairs(window_keys, global_mask, attention_window),
    )
    every = np.broadcast_to(
        padding_mask[:, None, :], (*padding_mask.shape, x.shape[1])
    )
    whole, _ = attend(
        project("query_global") * scale,
        project("key_global"),
        project("value_global"),
        every,
    )
    rows = np.where(global_mask[:, None, :, None], whole, local)
    return merge(rows * padding_mask[:, None, :, None])

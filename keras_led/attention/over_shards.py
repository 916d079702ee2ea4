"""Attention to a document whose keys lie on many devices."""

from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.cross_keys import as_keys
from keras_led.attention.dense import dot_product_attention
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards


def attention_over_shards(
    query: Tensor,
    key: Any,
    value: Tensor,
    mask: Tensor | None,
    shards: "DocumentShards",
    rate: float = 0.0,
    seed: Tensor | None = None,
) -> Tensor:
    """`dot_product_attention` where each device reads the keys that it has.

    The queries are on all devices. What travels is two numbers for each query
    and head, and the context of each query.

    Args:
        query: Float tensor of shape `(B, N, T, H)`, already scaled.
        key: Float tensor of shape `(B, N, S, H)`, or `cross_keys` of it.
        value: Float tensor of shape `(B, N, S, H)`.
        mask: Bool tensor of shape `(B or 1, 1, T or 1, S)`, `True` may
            attend, or `None`.
        shards: `DocumentShards`.
        rate: float in `[0, 1)`, dropout probability of the weights.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.

    Returns:
        Tensor of shape `(B, N, T, H)`.
    """
    num_keys = value.shape[2]
    key = as_keys(key).whole(num_keys)
    missing = -num_keys % shards.size
    if missing:
        if mask is None:
            mask = ops.ones((1, 1, 1, num_keys), dtype="bool")
        mask = ops.pad(mask, ((0, 0),) * 3 + ((0, missing),))
        widths = ((0, 0), (0, 0), (0, missing), (0, 0))
        key, value = (ops.pad(x, widths) for x in (key, value))

    def attend(query, key, value, mask, seed):
        seed = backend.shard_seed(seed)
        context, _ = dot_product_attention(
            query, key, value, mask, rate=rate, seed=seed, shards=shards
        )
        return context

    of_one = mask is None or mask.shape[0] == 1 != query.shape[0]
    return backend.run_in_shards(
        attend,
        shards,
        (query, key, value, mask, seed),
        ("BNTH", "BNLH", "BNLH", "1NTL" if of_one else "BNTL", ""),
        "BNTH",
    )

"""Attention to a document whose keys lie on many devices."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.cross_keys import as_keys
from keras_led.attention.dense import dot_product_attention
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards


def document_in_shards(
    hidden_states: Any, mask: Tensor | None = None
) -> tuple[Any, Tensor | None]:
    """What a decoder reads, where each process has its part of documents.

    Args:
        hidden_states: Float tensor of shape `(B, S, D)`, or `None`.
        mask: Bool tensor of shape `(B, S)`, `True` may be attended to, or
            `None` for all.

    Returns:
        Pair of the hidden states of the tokens of the process, where
        `backend.keys_stay_apart()`, and the mask of all tokens: these parts
        may have zeros at the end, so that they need one.
    """
    shards = backend.document_shards()
    if shards is None or not backend.keys_stay_apart():
        return hidden_states, mask
    if hidden_states is None:  # its keys have been made
        return None, mask
    if mask is None:
        mask = ops.ones(hidden_states.shape[:2], dtype="bool")
    part = backend.run_in_shards(
        lambda x: x, shards, (hidden_states,), ("BLD",), "BSD"
    )
    return part, mask


def keys_in_shards(
    project: Callable[..., tuple[Tensor, Tensor]],
    hidden_states: Tensor,
    variables: Sequence[Any],
) -> tuple[Tensor, Tensor]:
    """The keys and values of a document, where each process has its part.

    Args:
        project: Callable from hidden states to a pair of keys and values.
        hidden_states: Float tensor of shape `(B, S, D)`, of
            `document_in_shards`.
        variables: Sequence of the Keras variables that `project` reads.

    Returns:
        Pair of tensors `(B, N, S, H)`, of the same tokens.
    """
    shards = backend.document_shards()
    if shards is None or not backend.keys_stay_apart():
        return project(hidden_states)
    return backend.run_in_shards(
        project, shards, (hidden_states,), ("BSD",), "BNSH", variables
    )


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
            attend, or `None`. It is whole where keys and values are those of
            `keys_in_shards`.
        shards: `DocumentShards`.
        rate: float in `[0, 1)`, dropout probability of the weights.
        seed: Int tensor of shape `(2,)`, or `None` for no dropout.

    Returns:
        Tensor of shape `(B, N, T, H)`.
    """
    num_keys = value.shape[2]
    key = as_keys(key).whole(num_keys)
    if mask is None and num_keys % shards.size:  # there will be zeros
        mask = ops.ones((1, 1, 1, num_keys), dtype="bool")

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
        ("BNTH", "BNSH", "BNSH", "1NTL" if of_one else "BNTL", ""),
        "BNTH",
    )

"""Keys that queries are compared with: as they are, or packed for few queries.

TensorFlow's product copies a wide matrix before it reads it, and reads a
narrow one where it lies. So the keys of a document, which every step of a
decoding reads, are cut once into chunks of a few: `(B, N, S, H)` becomes
`(B, N, C, H, K)`, `C` chunks of `K` keys, the last one filled up with zeros.
"""

from typing import Any
from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.typing import Tensor

# For more queries than these, a product of the whole matrix is as fast.
FEW_QUERIES = 16


class Keys(NamedTuple):
    """Keys as a projection makes them.

    Attributes:
        tensor: Float tensor of shape `(B, N, S, H)`.
    """

    tensor: Any

    def scores(self, query: Tensor, num_keys: int | Tensor) -> Tensor:
        """Compares queries, `(B, N, T, H)`, with the keys, `(B, N, T, S)`."""
        del num_keys
        if backend.KEYS_FIRST and are_few(query):
            return backend.swap_last(
                ops.matmul(self.tensor, backend.swap_last(query))
            )
        return ops.matmul(query, backend.swap_last(self.tensor))

    def whole(self, num_keys: int | Tensor) -> Tensor:
        """The keys as one tensor, `(B, N, S, H)`."""
        del num_keys
        return self.tensor


class PackedKeys(NamedTuple):
    """Keys cut into chunks.

    Attributes:
        chunks: Float tensor of shape `(B, N, C, H, K)`.
    """

    chunks: Any

    def scores(self, query: Tensor, num_keys: int | Tensor) -> Tensor:
        if not are_few(query):
            return Keys(self.whole(num_keys)).scores(query, num_keys)
        product = ops.matmul(ops.expand_dims(query, 2), self.chunks)
        scores = _merge_chunks(backend.transpose(product, (0, 1, 3, 2, 4)))
        if isinstance(num_keys, int) and scores.shape[-1] == num_keys:
            return scores
        return scores[..., :num_keys]

    def whole(self, num_keys: int | Tensor) -> Tensor:
        rows = backend.transpose(self.chunks, (0, 1, 2, 4, 3))
        batch, num_heads, chunks, size, head_dim = backend.shape(rows)
        shape = (batch, num_heads, chunks * size, head_dim)
        return backend.reshape(rows, shape)[:, :, :num_keys]


def cross_keys(key: Tensor, queries_per_document: int) -> Keys | PackedKeys:
    """Lays out a document's keys for all the steps of a decoding.

    Args:
        key: Float tensor of shape `(B, N, S, H)`.
        queries_per_document: int, queries that a step has for a document.

    Returns:
        `Keys` or `PackedKeys`.
    """
    size = backend.packed_chunk_columns()
    if size is None or queries_per_document > FEW_QUERIES:
        return Keys(backend.contiguous(key))
    batch, num_heads, num_keys, head_dim = backend.shape(key)
    missing = -num_keys % size
    if not isinstance(missing, int) or missing:
        key = ops.pad(key, ((0, 0), (0, 0), (0, missing), (0, 0)))
    chunks = backend.reshape(key, (batch, num_heads, -1, size, head_dim))
    return PackedKeys(backend.transpose(chunks, (0, 1, 2, 4, 3)))


def as_keys(key: Tensor) -> Any:
    """`key`, `Keys` or `PackedKeys`; a tensor as `Keys`."""
    return key if isinstance(key, Keys | PackedKeys) else Keys(key)


def are_few(query: Tensor) -> bool:
    """Whether a tensor of queries `(B, N, T, H)` is known to hold few."""
    num_queries = query.shape[2]
    return num_queries is not None and num_queries <= FEW_QUERIES


def _merge_chunks(x):  # (B, N, T, C, K) -> (B, N, T, C K)
    *outer, chunks, size = backend.shape(x)
    return backend.reshape(x, (*outer, chunks * size))

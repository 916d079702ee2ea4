"""Products with matrices of weights, and rows of them."""

from collections.abc import Callable
from typing import Any

from keras_led.typing import Tensor


def linear(x: Tensor, kernel: Any, bias: Any) -> Tensor:
    """`x @ kernel + bias`, over the last axis of `x`.

    TensorFlow makes one operation of product, bias and activation only where
    they are matrices (led-base's first feed-forward product of 4,096 tokens:
    120 ms with `gelu`, 94 ms so). PyTorch hands it to oneDNN where that is
    faster than MKL, and cuts a product with few rows into parts, which MKL
    reads twice as fast.

    Args:
        x: Float tensor of shape `(..., I)`.
        kernel: Float tensor or variable of shape `(I, O)`.
        bias: Float tensor or variable of shape `(O,)`, or `None`.

    Returns:
        Tensor of shape `(..., O)`.
    """
    raise NotImplementedError


def multiplies_int8(x: Tensor) -> bool:
    """Whether `int8_product` is exact, and faster than products of floats.

    On a CPU TensorFlow's own is slow (led-base's encoder: seven times as slow
    as in float32): oneDNN's is called, in graphs of this process. JAX's is slow
    where XLA does not call its library. That of PyTorch overflows without
    instructions that add in 32 bits.

    Args:
        x: Float tensor, what is to be multiplied.
    """
    raise NotImplementedError


def int8_product(x: Tensor, kernel: Any) -> Tensor:
    """`x @ kernel` of whole numbers, where `multiplies_int8`.

    Args:
        x: Float tensor of shape `(..., I)`, whole numbers from -127 to 127.
        kernel: Int8 tensor of shape `(I, O)`.

    Returns:
        Float32 tensor of shape `(..., O)`.
    """
    raise NotImplementedError


def map_rows(
    function: Callable[..., Any], seed: Any, x: Tensor, *others: Tensor
) -> Tensor:
    """`function` of the rows of matrices, each apart from the others.

    On a CPU, JAX and PyTorch take some rows at a time, so that what it makes
    on the way stays in the cache; so does TensorFlow where rows are many and no
    gradient is taken, or that would grow with them. Of noise, one seed is for
    all rows, but on PyTorch, where pieces have their own.

    Args:
        function: Callable from a seed and float matrices of some of the rows
            to a matrix of the shape and dtype of the first.
        seed: What `function` draws noise from, or `None` for none.
        x: Float tensor of shape `(rows, D)`.
        *others: Tensors of shape `(rows, ...)`, the last of them not to be
            read any more.

    Returns:
        Tensor of the shape of `x`.
    """
    raise NotImplementedError


def gelu_(x: Tensor) -> Tensor:
    """The exact GELU, with erf; may write over `x`."""
    raise NotImplementedError


def scale_rows_(x: Tensor, factors: Tensor) -> Tensor:
    """`x * factors`, where `factors` broadcasts; may write over `x`."""
    raise NotImplementedError


def write_rows_(x: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    """`x` with other rows; may write over `x`.

    Args:
        x: Float tensor of shape `(R, D)`.
        indices: Int32 tensor of shape `(G,)`.
        rows: Float tensor of shape `(G, D)`.
    """
    raise NotImplementedError


def table_product(x: Tensor, table: Any) -> Tensor:
    """`x @ table^T`: the likeness of hidden states to each row of a table.

    With few rows, as in decoding, TensorFlow reads the table faster as a
    batch of one (led-base's vocabulary and 4 rows: 8 ms, 12 ms as plain
    matrices), PyTorch in parts.

    Args:
        x: Float tensor of shape `(..., D)`.
        table: Float tensor of shape `(V, D)`.

    Returns:
        Tensor of shape `(..., V)`.
    """
    raise NotImplementedError


def look_up(table: Any, ids: Tensor) -> tuple[Any, ...]:
    """Reads rows of a table, and hands the table on.

    What reads the table handed on leaves its gradient there, and that of the
    rows is added to it: a table that is read in several places has one
    gradient of its size and not one for each.

    Args:
        table: Float tensor of shape `(V, D)`.
        ids: Int32 tensor of any shape.

    Returns:
        Pair of the rows, `(..., D)`, and the table.
    """
    raise NotImplementedError


def weighted_sum(weights: Tensor, value: Tensor) -> Tensor:
    """`weights @ value` of an attention.

    In pieces on JAX, on a CPU, for narrow heads and many keys, where XLA takes
    a product that is many times as slow.

    Args:
        weights: Float tensor of shape `(B, N, T, S)`.
        value: Float tensor of shape `(B, N, S, H)`.

    Returns:
        Float tensor of shape `(B, N, T, H)`.
    """
    raise NotImplementedError


def packed_chunk_columns() -> int | None:
    """Keys of a chunk that `attention.cross_keys` cuts, or `None` for whole.

    For TensorFlow on a CPU, whose product copies a wide matrix before it reads
    it (led-base, two cores, 4 rows, the keys of 4,096 tokens: 2.0 ms in
    chunks, 5.9 ms whole).
    """
    raise NotImplementedError

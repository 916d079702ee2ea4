"""The products of windowed attention."""

from collections.abc import Callable
from typing import Any

from keras_led.typing import Tensor


def map_operands(function: Callable[..., Any], x: Tensor) -> tuple[Any, ...]:
    """Query, key and value of the attention, by a function of hidden states.

    On a CPU, JAX and PyTorch take a long document some tokens at a time: JAX
    would write each product again with its bias and again with its axes
    turned (led-base, 16,384 tokens: 2 to 3 % of the encoder), PyTorch would
    get 150 MB a layer from the system, page by page.

    Args:
        function: Callable from `(B, T, D)`, the hidden states of some tokens,
            to a tuple of the three, `(B, N, T, H)`.
        x: Float tensor of shape `(B, L, D)`.

    Returns:
        Tuple of the three, `(B, N, L, H)`.
    """
    raise NotImplementedError


def spans(x: Tensor, positions: Tensor = None) -> Callable[..., Any]:
    """Prepares keys or values to be read slice by slice.

    TensorFlow gathers the rows of both parts in one operation; JAX hands the
    global keys back apart (joined, both are copied for each block: 148 ms a
    layer of led-base, 4,096 tokens; 127 apart).

    Args:
        x: Float tensor of shape `(B, N, L, H)`.
        positions: Int32 tensor of shape `(B, G)`, of those that come before
            each slice, or `None`.

    Returns:
        Callable from int32 starts, `(blocks,)`, and the size of a slice, `S`,
        an int or int32 scalar, to a tuple of float tensors
        `(B, N, blocks, ..., H)`, whose rows are those at the positions and
        the slice, `G + S` in all. Of its options, `heads` says which to read,
        a pair of the first one, an int32 scalar tensor, and their int number,
        and `joined` asks for a single tensor.
    """
    raise NotImplementedError


def key_spans(key: Tensor, positions: Tensor = None) -> Callable[..., Any]:
    """`spans` of keys for `attend`.

    On JAX with the tokens as last axis, turned all at once: XLA would turn
    each slice of them (led-base, 4,096 tokens: 3 % of the encoder).
    """
    raise NotImplementedError


def scores(query: Tensor, key: Tensor, bias: Tensor, scale: float) -> Tensor:
    """`scale * query @ key^T + bias`, in float32.

    Args:
        query: Float tensor of shape `(B, N, blocks, T, H)`.
        key: Float tensor of shape `(B, N, blocks, S, H)`.
        bias: Float32 tensor of shape `(B, 1, blocks, T, S)`.
        scale: float.

    Returns:
        Float32 tensor of shape `(B, N, blocks, T, S)`.
    """
    raise NotImplementedError


def attend(
    query: Tensor,
    keys: tuple[Any, ...],
    values: tuple[Any, ...],
    bias: Tensor,
    scale: float,
) -> Tensor:
    """Attention to keys and values that `key_spans` and `spans` read.

    Args:
        query: Float tensor of shape `(B, N, blocks, T, H)`.
        keys: Tuple of float tensors.
        values: Tuple of float tensors.
        bias: Float32 tensor of shape `(B, 1, blocks, T, G + S)`.
        scale: float, of the scores.

    Returns:
        Float tensor of the shape and dtype of `query`.
    """
    raise NotImplementedError


def attend_gradients() -> Callable[..., Any] | None:
    """Returns the fused kernel's gradient of `attend`, or `None`.

    Returns:
        Callable from the arguments of `attend` and the gradient of the context
        to those of query, keys and values, for PyTorch on a GPU; `None` where
        products are faster.
    """
    raise NotImplementedError


def fused_attention(
    query: Tensor, value: Tensor
) -> Callable[..., Tensor] | None:
    """A kernel that attends and derives and holds no scores, or `None`.

    PyTorch's own on a CPU: the scores, their sums with a mask, their softmax
    and its gradient would be asked of the system anew in each step (4 queries,
    4 heads of 16, 262,144 keys, one core: 31 ms by products, 18 so; with their
    gradients 128 queries, 12 heads of 64: 174 and 94 over 4,096 keys, 6,500 and
    2,200 over 65,536).

    Args:
        query: Float tensor of shape `(B, N, T, H)`.
        value: Float tensor of shape `(B, N, S, H)`.

    Returns:
        Callable from query, already scaled, key, value and the float32 bias of
        the scores, which broadcasts to `(B, N, T, S)`, or `None`, to the
        context of the shape of `query`. A row that keeps no key, and has equal
        weights whatever its scores, gives these no gradient.
    """
    raise NotImplementedError


def times(x: Tensor, y: Tensor) -> Tensor:
    """`x @ y` for float tensors `(B, N, blocks, ...)`."""
    raise NotImplementedError


def times_transposed(x: Tensor, y: Tensor) -> Tensor:
    """`x @ y^T` likewise."""
    raise NotImplementedError


def take_keys(x: Tensor, positions: Tensor) -> Tensor:
    """Takes those of every head, `(B, N, L, H)` and `(B, G)` to `(B, N, G, H)`.

    As rows of a matrix: where a position has many axes behind it, TensorFlow
    transposes all of `x` to take it.
    """
    raise NotImplementedError

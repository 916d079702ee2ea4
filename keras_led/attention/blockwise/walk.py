"""Goes through the blocks of a document, step by step."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.attention.blockwise.plan import Blocks


def map_queries(
    function: Callable[..., Any], query: Tensor, blocks: "Blocks"
) -> Tensor:
    """Replaces every block of queries by what a function makes of it.

    Args:
        function: Callable from queries `(B, n, blocks, query, H)`, their step,
            an int32 scalar, and which heads they are, a pair of the first
            one, likewise, and the int number, or `None` for all; to a tensor
            of the shape and dtype of the queries. Behind the document are
            queries of zeros.
        query: Tensor of shape `(B, N, L, H)`.
        blocks: `Blocks`.

    Returns:
        Tensor of the shape and dtype of `query`.
    """
    if backend.replace_slices is None:
        queries_of = query_blocks(query, blocks)
        return join_blocks(
            map_steps(lambda i: function(queries_of(i), i, None), blocks),
            blocks,
        )
    batch, num_heads, length, head_dim = backend.shape(query)
    per_step = blocks.per_step * blocks.query_block
    count = num_heads // blocks.head_groups
    cut = (blocks.per_step, blocks.query_block, count)

    def replace(rows, start):
        queries = backend.reshape(rows, (batch, *cut, head_dim))
        queries = backend.transpose(queries, (0, 3, 1, 2, 4))
        heads = None if count == num_heads else (start[2], count)
        context = function(queries, start[1] // per_step, heads)
        context = backend.transpose(context, (0, 2, 3, 1, 4))
        return backend.reshape(context, (batch, per_step, count, head_dim))

    # As the hidden dimension lies: heads are split and merged block by block.
    rows = ops.transpose(query, (0, 2, 1, 3))
    rows = _pad(rows, blocks.num_steps * per_step - length, axis=1)
    size = (batch, per_step, count, head_dim)
    rows = backend.replace_slices(replace, rows, size)
    return ops.transpose(rows[:, :length], (0, 2, 1, 3))


def map_steps(function: Callable[..., Any], blocks: "Blocks") -> Any:
    """Calls a function of every step, and stacks what it returns."""
    steps = backend.step_numbers(blocks.num_steps)
    if not isinstance(blocks.num_steps, int) or blocks.num_steps != 1:
        return ops.map(function, ops.convert_to_tensor(steps, dtype="int32"))
    outputs = function(steps[0])  # needs no loop
    if isinstance(outputs, tuple):
        return tuple(x[None] for x in outputs)
    return outputs[None]


def query_blocks(query: Tensor, blocks: "Blocks") -> Callable[[Tensor], Tensor]:
    """Prepares queries to be read step by step.

    Args:
        query: Tensor of shape `(B, N, L, H)`.
        blocks: `Blocks`.

    Returns:
        Callable from a step, an int32 scalar tensor, to a tensor of shape
        `(B, N, blocks, query, H)`; behind the document are zeros.
    """
    batch, num_heads, length, head_dim = backend.shape(query)
    per_step = blocks.per_step * blocks.query_block
    query = _pad(query, blocks.num_steps * per_step - length, axis=2)

    def read(step):
        rows = backend.read_slice(query, step * per_step, per_step, axis=2)
        shape = (batch, num_heads, blocks.per_step, blocks.query_block)
        return backend.reshape(rows, (*shape, head_dim))

    return read


def join_blocks(x: Tensor, blocks: "Blocks") -> Tensor:
    """`(steps, B, N, blocks, query, X) -> (B, N, L, X)`."""
    steps, batch, num_heads, _, _, last = backend.shape(x)
    per_step = blocks.per_step * blocks.query_block
    x = backend.reshape(x, (steps, batch, num_heads, per_step, last))
    # In the order that `merge_heads` asks for, which then moves nothing.
    x = ops.transpose(x, (1, 0, 3, 2, 4))
    x = backend.reshape(x, (batch, steps * per_step, num_heads, last))
    return ops.transpose(x[:, : blocks.length], (0, 2, 1, 3))


def _pad(x, padding, axis):
    """Zeros behind `x`; `padding` is an int or an int scalar tensor."""
    if isinstance(padding, int) and padding == 0:
        return x
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (0, padding)
    return backend.pad(x, widths)


def take_rows(
    x: Tensor, starts: Tensor, size: int | Tensor, axis: int
) -> Tensor:
    """Slices of `x` along `axis`, beside one another on a new axis before it.

    `(B, N, L, H) -> (B, N, blocks, size, H)` for axis 2.
    """
    if starts.shape[0] == 1:
        rows = backend.read_slice(x, starts[0], size, axis)
        return ops.expand_dims(rows, axis)
    return ops.take(x, starts[:, None] + ops.arange(size, dtype="int32"), axis)

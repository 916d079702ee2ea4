"""How the windowed attention cuts a document into blocks.

The queries are cut into blocks. A block sees one slice of the keys, its span,
long enough for the windows of all its queries:

    queries        ....[ block ]............
    keys       ....[ W | block | W ]........
"""

from typing import NamedTuple

from keras import ops


class Blocks(NamedTuple):
    """Sizes of the blocks, ints (or scalar tensors for dynamic lengths)."""

    length: object
    one_sided_window: int
    query_block: int
    per_step: int  # blocks worked on at once
    num_steps: object
    span: object  # keys in the slice of a block

    def starts(self, step):
        """Starts of the blocks of a step and of their spans, `(blocks,)`."""
        first = step * self.per_step * self.query_block
        starts = first + self.query_block * ops.arange(
            self.per_step, dtype="int32"
        )
        return starts, ops.clip(
            starts - self.one_sided_window, 0, self.length - self.span
        )


def plan_blocks(query, attention_window, layout):
    """Sizes of the blocks for queries of shape `(B, N, L, H)`."""
    length = ops.shape(query)[2]
    one_sided_window = attention_window // 2
    query_block, per_step = layout
    if isinstance(length, int):
        # Even blocks: 1,025 tokens make 9 blocks of 114, not of 128.
        num_blocks = max(1, -(-length // query_block))
        query_block = max(1, -(-length // num_blocks))
        per_step = min(per_step, num_blocks)
        span = min(length, query_block + 2 * one_sided_window)
    else:
        num_blocks = -(-length // query_block)
        span = ops.minimum(length, query_block + 2 * one_sided_window)
    num_steps = -(-num_blocks // per_step)
    return Blocks(
        length, one_sided_window, query_block, per_step, num_steps, span
    )


def cut_queries(query, blocks):
    """`(B, N, L, H) -> (steps, B, N, blocks, query, H)`, padded with 0."""
    batch, num_heads, length, head_dim = ops.shape(query)
    per_step = blocks.per_step * blocks.query_block
    padding = blocks.num_steps * per_step - length
    query = ops.pad(query, ((0, 0), (0, 0), (0, padding), (0, 0)))
    shape = (
        batch,
        num_heads,
        blocks.num_steps,
        blocks.per_step,
        blocks.query_block,
        head_dim,
    )
    return ops.transpose(ops.reshape(query, shape), (2, 0, 1, 3, 4, 5))


def take_step(x, step):
    """`(steps, ...) -> (...)`, the part of one step."""
    shape = ops.shape(x)
    begin = (step,) + (0,) * (len(shape) - 1)
    return ops.slice(x, begin, (1, *shape[1:]))[0]


def join_blocks(x, blocks):
    """`(steps, B, N, blocks, query, X) -> (B, N, L, X)`."""
    _, batch, num_heads, _, _, last = ops.shape(x)
    x = ops.transpose(x, (1, 2, 0, 3, 4, 5))
    padded = blocks.num_steps * blocks.per_step * blocks.query_block
    x = ops.reshape(x, (batch, num_heads, padded, last))
    return x[:, :, : blocks.length]


def take_spans(x, step, blocks, axis):
    """Puts the key slice of each block beside one another on a new axis.

    `(B, N, L, H) -> (B, N, blocks, span, H)` for axis 2, and
    `(B, L) -> (B, blocks, span)` for axis 1.
    """
    _, key_starts = blocks.starts(step)
    if blocks.per_step == 1:
        shape = list(ops.shape(x))
        begin = [0] * len(shape)
        shape[axis], begin[axis] = blocks.span, key_starts[0]
        return ops.expand_dims(ops.slice(x, begin, shape), axis)
    return ops.take(x, _span_positions(key_starts, blocks), axis=axis)


def block_mask(window_keys, step, blocks):
    """The keys each query's window shows, `(B, 1, blocks, query, span)`.

    Args:
        window_keys: Bool tensor of shape `(B, L)`.
        step: int or int32 scalar tensor.
        blocks: `Blocks`.
    """
    starts, key_starts = blocks.starts(step)
    offsets = ops.arange(blocks.query_block, dtype="int32")
    queries = starts[:, None] + offsets[None, :]  # (blocks, query)
    keys = _span_positions(key_starts, blocks)  # (blocks, span)
    distance = ops.abs(queries[:, :, None] - keys[:, None, :])
    band = distance <= blocks.one_sided_window  # (blocks, query, span)
    visible = take_spans(window_keys, step, blocks, axis=1)
    return (band[None] & visible[:, :, None, :])[:, None]


def _span_positions(starts, blocks):
    span = ops.arange(blocks.span, dtype="int32")
    return starts[:, None] + span[None, :]  # (blocks, span)

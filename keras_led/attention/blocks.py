"""How the windowed attention cuts a document into blocks.

The queries are cut into blocks. A block sees one slice of the keys, its span,
long enough for the windows of all its queries:

    queries        ....[ block ]............
    keys       ....[ W | block | W ]........
"""

import math
from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.backend.blocks import loops_allowed


class Blocks(NamedTuple):
    """Sizes of the blocks, ints (or scalar tensors for dynamic lengths)."""

    length: object
    one_sided_window: int
    query_block: int
    per_step: int  # blocks worked on at once
    num_steps: object
    span: object  # keys in the slice of a block
    margin: object = None  # keys of padding before and behind, or None
    head_groups: int = 1  # of them `map_queries` works on one at a time
    fitted: bool = False  # whether a span ends where the document does

    def starts(self, step):
        """Where the blocks of a step and their spans start, `(blocks,)`.

        Both count from the first key, that of the margin if there is one.
        """
        first = step * self.per_step * self.query_block
        if isinstance(self.per_step, int) and self.per_step == 1:
            # A number that a recording of PyTorch's can tell.
            starts = first + ops.convert_to_tensor([0], dtype="int32")
        else:
            offsets = ops.arange(self.per_step, dtype="int32")
            starts = first + self.query_block * offsets
        if self.margin is not None:
            return starts + self.margin, starts
        furthest = self.length if self.fitted else self.length - self.span
        return starts, ops.clip(starts - self.one_sided_window, 0, furthest)

    def span_at(self, step):
        """How many keys a span of a step has, an int or int32 scalar.

        At both ends of the document fewer than elsewhere, if fitted: of
        led-base's 4,096 tokens, 7 % less in all.
        """
        if not self.fitted:
            return self.span
        start = step * self.query_block
        end = start + self.query_block + self.one_sided_window
        if isinstance(step, int) and isinstance(self.length, int):
            first = max(start - self.one_sided_window, 0)
            return min(end, self.length) - first
        first = ops.maximum(start - self.one_sided_window, 0)
        return ops.minimum(end, self.length) - first

    def with_margin(self):
        """The same blocks over padded keys, where no span is cut short.

        So each span starts `query_block` keys after the one before. Where a
        span is all of the document, nothing needs padding.
        """
        if isinstance(self.length, int):
            if self.span == self.length:
                return self._replace(fitted=False)
            margin = min(self.one_sided_window, self.length)
        else:
            margin = ops.minimum(self.one_sided_window, self.length)
        span = self.query_block + 2 * margin
        return self._replace(span=span, margin=margin, fitted=False)

    def pad_keys(self, x, axis):
        """Pads keys (or their mask) of the document with zeros to the spans."""
        if self.margin is None:
            return x
        queries = self.num_steps * self.per_step * self.query_block
        padding = [(0, 0)] * len(x.shape)
        padding[axis] = (self.margin, queries - self.length + self.margin)
        return ops.pad(x, padding)


def plan_blocks(query, attention_window, layout, fitted=False):
    """Sizes of the blocks for queries of shape `(B, N, L, H)`.

    Args:
        query: Float tensor of shape `(B, N, L, H)`.
        attention_window: int, in tokens, both sides together.
        layout: `BlockLayout`.
        fitted: bool, whether spans may differ in length, from step to step.

    Returns:
        `Blocks`.
    """
    batch, num_heads, length, _ = ops.shape(query)
    one_sided_window = attention_window // 2
    query_block, per_step, scores_per_step = layout
    if isinstance(length, int):
        # Even blocks: 1,025 tokens make 9 blocks of 114, not of 128.
        num_blocks = max(1, ceil_div(length, query_block))
        query_block = max(1, ceil_div(length, num_blocks))
        per_step = min(per_step, num_blocks)
        span = min(length, query_block + 2 * one_sided_window)
    else:
        num_blocks = ceil_div(length, query_block)
        span = ops.minimum(length, query_block + 2 * one_sided_window)
    if not loops_allowed():
        per_step = num_blocks
    num_steps = ceil_div(num_blocks, per_step)
    blocks = Blocks(
        length, one_sided_window, query_block, per_step, num_steps, span
    )
    blocks = blocks._replace(fitted=fitted and per_step == 1)
    scores = (batch, per_step, query_block, span)  # of a head
    known = all(isinstance(size, int) for size in scores)
    if scores_per_step is None or not known:
        return blocks
    most = scores_per_step // max(1, math.prod(scores))  # 0: an empty batch
    groups = _head_groups(num_heads, most)
    return blocks._replace(head_groups=groups)


def _head_groups(num_heads, most):
    """The fewest groups of at most `most` heads and at least two, or 1."""
    for groups in range(1, num_heads // 2 + 1):
        if num_heads % groups == 0 and num_heads // groups <= most:
            return groups
    return 1


def ceil_div(dividend, divisor):
    """Rounds up; of positive ints, which all runtimes divide alike."""
    return (dividend + divisor - 1) // divisor


def map_queries(function, query, blocks):
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
    batch, num_heads, length, head_dim = ops.shape(query)
    per_step = blocks.per_step * blocks.query_block
    count = num_heads // blocks.head_groups
    cut = (blocks.per_step, blocks.query_block, count)

    def replace(rows, start):
        queries = ops.reshape(rows, (batch, *cut, head_dim))
        queries = backend.transpose(queries, (0, 3, 1, 2, 4))
        heads = None if count == num_heads else (start[2], count)
        context = function(queries, start[1] // per_step, heads)
        context = backend.transpose(context, (0, 2, 3, 1, 4))
        return ops.reshape(context, (batch, per_step, count, head_dim))

    # As the hidden dimension lies: heads are split and merged block by block.
    rows = ops.transpose(query, (0, 2, 1, 3))
    rows = _pad(rows, blocks.num_steps * per_step - length, axis=1)
    size = (batch, per_step, count, head_dim)
    rows = backend.replace_slices(replace, rows, size)
    return ops.transpose(rows[:, :length], (0, 2, 1, 3))


def map_steps(function, blocks):
    """Calls a function of every step, and stacks what it returns."""
    steps = ops.arange(blocks.num_steps, dtype="int32")
    if steps.shape[0] != 1:
        return ops.map(function, steps)
    outputs = function(steps[0])  # needs no loop
    if isinstance(outputs, tuple):
        return tuple(x[None] for x in outputs)
    return outputs[None]


def query_blocks(query, blocks):
    """Prepares queries to be read step by step.

    Args:
        query: Tensor of shape `(B, N, L, H)`.
        blocks: `Blocks`.

    Returns:
        Callable from a step, an int32 scalar tensor, to a tensor of shape
        `(B, N, blocks, query, H)`; behind the document are zeros.
    """
    batch, num_heads, length, head_dim = ops.shape(query)
    per_step = blocks.per_step * blocks.query_block
    query = _pad(query, blocks.num_steps * per_step - length, axis=2)

    def read(step):
        rows = backend.read_slice(query, step * per_step, per_step, axis=2)
        shape = (batch, num_heads, blocks.per_step, blocks.query_block)
        return ops.reshape(rows, (*shape, head_dim))

    return read


def join_blocks(x, blocks):
    """`(steps, B, N, blocks, query, X) -> (B, N, L, X)`."""
    steps, batch, num_heads, _, _, last = ops.shape(x)
    per_step = blocks.per_step * blocks.query_block
    x = ops.reshape(x, (steps, batch, num_heads, per_step, last))
    # In the order that `merge_heads` asks for, which then moves nothing.
    x = ops.transpose(x, (1, 0, 3, 2, 4))
    x = ops.reshape(x, (batch, steps * per_step, num_heads, last))
    return ops.transpose(x[:, : blocks.length], (0, 2, 1, 3))


def _pad(x, padding, axis):
    """Zeros behind `x`; `padding` is an int or an int scalar tensor."""
    if isinstance(padding, int) and padding == 0:
        return x
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (0, padding)
    return ops.pad(x, widths)


def take_rows(x, starts, size, axis):
    """Slices of `x` along `axis`, beside one another on a new axis before it.

    `(B, N, L, H) -> (B, N, blocks, size, H)` for axis 2.
    """
    if starts.shape[0] == 1:
        rows = backend.read_slice(x, starts[0], size, axis)
        return ops.expand_dims(rows, axis)
    return ops.take(x, starts[:, None] + ops.arange(size, dtype="int32"), axis)

"""How the windowed attention cuts a document into blocks.

The queries are cut into blocks. A block sees one slice of the keys, its span,
long enough for the windows of all its queries:

    queries        ....[ block ]............
    keys       ....[ W | block | W ]........
"""

from typing import NamedTuple

from keras import ops

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

    def starts(self, step):
        """Where the blocks of a step and their spans start, `(blocks,)`.

        Both count from the first key, that of the margin if there is one.
        """
        first = step * self.per_step * self.query_block
        starts = first + self.query_block * ops.arange(
            self.per_step, dtype="int32"
        )
        if self.margin is not None:
            return starts + self.margin, starts
        return starts, ops.clip(
            starts - self.one_sided_window, 0, self.length - self.span
        )

    def with_margin(self):
        """The same blocks over padded keys, where no span is cut short.

        So each span starts `query_block` keys after the one before. Where a
        span is all of the document, nothing needs padding.
        """
        if isinstance(self.length, int):
            if self.span == self.length:
                return self
            margin = min(self.one_sided_window, self.length)
        else:
            margin = ops.minimum(self.one_sided_window, self.length)
        span = self.query_block + 2 * margin
        return self._replace(span=span, margin=margin)

    def pad_keys(self, x, axis):
        """Pads keys (or their mask) of the document with zeros to the spans."""
        if self.margin is None:
            return x
        queries = self.num_steps * self.per_step * self.query_block
        padding = [(0, 0)] * len(x.shape)
        padding[axis] = (self.margin, queries - self.length + self.margin)
        return ops.pad(x, padding)


def plan_blocks(query, attention_window, layout):
    """Sizes of the blocks for queries of shape `(B, N, L, H)`."""
    length = ops.shape(query)[2]
    one_sided_window = attention_window // 2
    query_block, per_step = layout
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
    return Blocks(
        length, one_sided_window, query_block, per_step, num_steps, span
    )


def ceil_div(dividend, divisor):
    """Rounds up; of positive ints, which all runtimes divide alike."""
    return (dividend + divisor - 1) // divisor


def map_steps(function, inputs):
    """`ops.map` over steps, without a loop where there is only one."""
    if inputs[0].shape[0] != 1:
        return ops.map(function, inputs)
    outputs = function(tuple(x[0] for x in inputs))
    if isinstance(outputs, tuple):
        return tuple(x[None] for x in outputs)
    return outputs[None]


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


def join_blocks(x, blocks):
    """`(steps, B, N, blocks, query, X) -> (B, N, L, X)`."""
    _, batch, num_heads, _, _, last = ops.shape(x)
    x = ops.transpose(x, (1, 2, 0, 3, 4, 5))
    padded = blocks.num_steps * blocks.per_step * blocks.query_block
    x = ops.reshape(x, (batch, num_heads, padded, last))
    return x[:, :, : blocks.length]


def take_spans(x, step, blocks, axis):
    """Puts the key slice of each block beside one another on a new axis.

    `(B, N, L, H) -> (B, N, blocks, span, H)` for axis 2,
    `(B, N, H, L) -> (B, N, blocks, H, span)` for axis 3, and
    `(B, L) -> (B, blocks, span)` for axis 1.
    """
    _, key_starts = blocks.starts(step)
    between = min(axis, 2)
    if blocks.per_step == 1:
        shape = list(ops.shape(x))
        begin = [0] * len(shape)
        shape[axis], begin[axis] = blocks.span, key_starts[0]
        return ops.expand_dims(ops.slice(x, begin, shape), between)
    spans = ops.take(x, _span_positions(key_starts, blocks), axis=axis)
    return ops.moveaxis(spans, axis, between) if axis > between else spans


def key_spans(key, global_key=None):
    """Transposes keys once, for products with many queries a span.

    Args:
        key: Float tensor of shape `(B, N, L, H)`.
        global_key: Float tensor of shape `(B, N, G, H)`, or `None`.

    Returns:
        Callable from a step and `Blocks` to the global keys and the span of
        each block, `(B, N, blocks, H, G + span)`: laid out as the right side
        of `queries @ keys`, which matrix libraries run up to twice as fast as
        `queries @ keys^T`.
    """
    key = ops.transpose(key, (0, 1, 3, 2))
    if global_key is not None:
        global_key = ops.transpose(global_key, (0, 1, 3, 2))
    return lambda step, blocks: _beside(
        global_key, take_spans(key, step, blocks, axis=3), axis=-1
    )


def value_spans(value, global_value=None):
    """As `key_spans`, but `(B, N, blocks, G + span, H)`."""
    return lambda step, blocks: _beside(
        global_value, take_spans(value, step, blocks, axis=2), axis=-2
    )


def _beside(global_ones, spans, axis):
    if global_ones is None:
        return spans
    shape = list(ops.shape(spans))
    shape[axis] = ops.shape(global_ones)[axis]
    global_ones = ops.broadcast_to(global_ones[:, :, None], shape)
    return ops.concatenate([global_ones, spans], axis=axis)


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

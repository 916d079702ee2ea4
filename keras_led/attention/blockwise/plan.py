"""How the windowed attention cuts a document into blocks.

The queries are cut into blocks. A block sees one slice of the keys, its span,
long enough for the windows of all its queries:

    queries        ....[ block ]............
    keys       ....[ W | block | W ]........
"""

import math
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.backend.block_layout import loops_allowed
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.block_layout import BlockLayout


class Settings(NamedTuple):
    """What is the same for every block.

    Attributes:
        attention_window: int, in tokens, both sides together.
        scale: float that multiplies the scores.
        rate: float in `[0, 1)`, dropout probability of the weights.
        layout: `BlockLayout`, or `None` for the one for the device.
        halo_from: int, of keys that come with a margin: see `Blocks`.
    """

    attention_window: int
    scale: float
    rate: float
    layout: Any
    halo_from: int | None = None

    def plan(self, query: Tensor, holds_scores: bool) -> "Blocks":
        """Returns the `Blocks` for queries of shape `(B, N, L, H)`.

        Args:
            query: Float tensor.
            holds_scores: bool, whether all scores of a step exist at once.
        """
        blocks = plan_blocks(
            query,
            self.attention_window,
            self.layout or backend.preferred_layout(holds_scores),
            trimmed_spans=not holds_scores and backend.shapes_may_vary(),
        )
        if self.halo_from is None:
            return blocks
        return blocks.with_halo(self.halo_from)


class Blocks(NamedTuple):
    """Sizes of the blocks, ints (or scalar tensors for dynamic lengths).

    Where a device has a part of the document, its keys come with a margin of
    those that other devices have next to it, and behind `halo_from` others.
    """

    length: Any
    one_sided_window: int
    query_block: int
    per_step: int  # blocks worked on at once
    num_steps: Any
    span: Any  # keys in the slice of a block
    margin: Any = None  # keys of padding before and behind, or None
    head_groups: int = 1  # of them `map_queries` works on one at a time
    trimmed_spans: bool = False  # whether a span ends where the document does
    halo_from: int | None = None  # where a margin of real keys starts, or None

    def starts(self, step: int | Tensor) -> Tensor:
        """Where the blocks of a step and their spans start, `(blocks,)`.

        Both count from the first key, that of the margin if there is one, of
        all if it is a halo.
        """
        first = step * self.per_step * self.query_block
        if isinstance(self.per_step, int) and self.per_step == 1:
            # A number that a recording of PyTorch's can tell.
            starts = first + ops.convert_to_tensor([0], dtype="int32")
        else:
            offsets = ops.arange(self.per_step, dtype="int32")
            starts = first + self.query_block * offsets
        if self.margin is not None:
            if self.halo_from:
                starts = starts + self.halo_from
            return starts + self.margin, starts
        furthest = (
            self.length if self.trimmed_spans else self.length - self.span
        )
        return starts, ops.clip(starts - self.one_sided_window, 0, furthest)

    def span_at(self, step: int | Tensor) -> int | Tensor:
        """How many keys a span of a step has, an int or int32 scalar.

        At both ends of the document fewer than elsewhere, if trimmed_spans: of
        led-base's 4,096 tokens, 7 % less in all.
        """
        if not self.trimmed_spans:
            return self.span
        start = step * self.query_block
        end = start + self.query_block + self.one_sided_window
        if isinstance(step, int) and isinstance(self.length, int):
            first = max(start - self.one_sided_window, 0)
            return min(end, self.length) - first
        first = ops.maximum(start - self.one_sided_window, 0)
        return ops.minimum(end, self.length) - first

    def with_margin(self) -> "Blocks":
        """The same blocks over padded keys, where no span is cut short.

        So each span starts `query_block` keys after the one before. Where a
        span is all of the document, nothing needs padding.
        """
        if self.halo_from is not None:
            return self
        if isinstance(self.length, int):
            if self.span == self.length:
                return self._replace(trimmed_spans=False)
            margin = min(self.one_sided_window, self.length)
        else:
            margin = ops.minimum(self.one_sided_window, self.length)
        span = self.query_block + 2 * margin
        return self._replace(span=span, margin=margin, trimmed_spans=False)

    def with_halo(self, halo_from: int) -> "Blocks":
        """The same blocks over keys that have their margin."""
        margin = self.one_sided_window
        return self._replace(
            span=self.query_block + 2 * margin,
            margin=margin,
            trimmed_spans=False,
            halo_from=halo_from,
        )

    def pad_keys(self, x: Tensor, axis: int) -> Tensor:
        """Pads keys (or their mask) of the document with zeros to the spans."""
        if self.margin is None:
            return x
        margin = self.margin if self.halo_from is None else 0
        queries = self.num_steps * self.per_step * self.query_block
        padding = [(0, 0)] * len(x.shape)
        padding[axis] = (margin, queries - self.length + margin)
        return backend.pad(x, padding)

    def in_padded(self, positions: Tensor | None) -> Tensor | None:
        """Where keys at `positions` lie in what `pad_keys` returns."""
        if positions is None or self.margin is None:
            return positions
        if self.halo_from is not None:
            return positions
        return positions + self.margin


def plan_blocks(
    query: Tensor,
    attention_window: int,
    layout: "BlockLayout",
    trimmed_spans: bool = False,
) -> Blocks:
    """Sizes of the blocks for queries of shape `(B, N, L, H)`.

    Args:
        query: Float tensor of shape `(B, N, L, H)`.
        attention_window: int, in tokens, both sides together.
        layout: `BlockLayout`.
        trimmed_spans: bool, whether spans may differ in length from step to
            step.

    Returns:
        `Blocks`.
    """
    batch, num_heads, length, _ = backend.shape(query)
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
    blocks = blocks._replace(trimmed_spans=trimmed_spans and per_step == 1)
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


def ceil_div(dividend: Any, divisor: Any) -> Any:
    """Rounds up; of positive ints, which all runtimes divide alike."""
    return (dividend + divisor - 1) // divisor

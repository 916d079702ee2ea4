"""How many query blocks the windowed attention works on at a time."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import NamedTuple


class BlockLayout(NamedTuple):
    """Sizes of the blocks that the windowed attention cuts the queries into.

    Attributes:
        query_block: int, queries in one block, in tokens.
        blocks_per_step: int, blocks worked on at once; the steps follow one
            another, so that only one step's scores exist at a time.
        scores_per_step: int, scores that a step should not go beyond: it
            works on some of the heads only, on two at least. It works on all
            where that is not enough, and where this is `None`.
    """

    query_block: int
    blocks_per_step: int
    scores_per_step: int | None = None


# 128 queries compute 1.13 x the band of a 1,024 token window and their scores
# (12 heads, 7 MB) stay in a CPU's cache.
ON_CPU = BlockLayout(query_block=128, blocks_per_step=1)

# An accelerator starves on one block; 16 blocks of 128 queries hold 113 MB of
# float32 scores for 12 heads and a window of 1,024.
ON_ACCELERATOR = BlockLayout(query_block=128, blocks_per_step=16)

_loops_allowed = contextvars.ContextVar("loops_allowed", default=True)


def loops_allowed() -> bool:
    """Whether attention may go through its blocks in a loop."""
    return _loops_allowed.get()


@contextlib.contextmanager
def without_loops() -> Iterator[None]:
    """Lets the attention traced inside work on all its blocks at once.

    For runtimes that have no loop over tensors; it takes more memory.
    """
    token = _loops_allowed.set(False)
    try:
        yield
    finally:
        _loops_allowed.reset(token)

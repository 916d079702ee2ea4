"""Length buckets: few static shapes, little padding."""

from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np

from keras_led.argument_checks import check_list
from keras_led.typing import ArrayLike

SHORTEST_BUCKET = 128


def make_buckets(
    limit: int, buckets: Iterable[int] | None = None
) -> tuple[int, ...]:
    """The lengths to which documents are padded.

    Args:
        limit: int, longest document in tokens.
        buckets: iterable of int, lengths in tokens, or `None` for 128, 256,
            512 and so on up to `limit`: each length costs a compilation on
            JAX, and doubling pads by a quarter on average.

    Returns:
        Sorted tuple of int; the last one is `limit`.

    Raises:
        TypeError: If `buckets` is a str.
        ValueError: If a length is not in `[1, limit]`.
    """
    if buckets is None:
        buckets = []
        length = SHORTEST_BUCKET
        while length < limit:
            buckets.append(length)
            length *= 2
    buckets = check_list("buckets", buckets, "lengths")
    wrong = [b for b in buckets if not 0 < b <= limit]
    if wrong:
        raise ValueError(
            f"`buckets` must be lengths from 1 to {limit} tokens, the longest "
            f"document. Received: {wrong[0]}."
        )
    return tuple(sorted({*map(int, buckets), int(limit)}))


def bucket_of(length: int, buckets: Sequence[int]) -> int:
    """The shortest bucket that holds `length` tokens."""
    return buckets[int(np.searchsorted(buckets, length))]


def plan_batches(
    lengths: ArrayLike,
    buckets: Sequence[int],
    batch_size: int,
    generator: np.random.Generator | None = None,
) -> list[tuple[list[int], int]]:
    """Puts rows of similar lengths into batches.

    What a bucket has left over joins the next longer one, so that all batches
    but one are full and their number never depends on the order.

    Args:
        lengths: int array of shape `(rows,)`, in tokens.
        buckets: sorted tuple of int, in tokens.
        batch_size: int, rows of a batch.
        generator: `numpy.random.Generator` that shuffles rows and batches, or
            `None` to keep the order of the rows inside each bucket.

    Returns:
        List of pairs: a list of row numbers, and the bucket that fits them.
        Where there are several buckets, the first two batches differ in
        theirs: TensorFlow reads from these two which axes vary.
    """
    lengths = np.asarray(lengths)
    places = np.searchsorted(buckets, lengths)
    batches, rest = [], np.zeros(0, "int64")
    for place in range(len(buckets)):
        rows = np.flatnonzero(places == place)
        if generator is not None:
            rows = generator.permutation(rows)
        rows = np.concatenate([rest, rows])
        full = len(rows) // batch_size * batch_size
        batches += [
            rows[i : i + batch_size] for i in range(0, full, batch_size)
        ]
        rest = rows[full:]
    if len(rest):
        batches.append(rest)
    plan = [
        (rows.tolist(), bucket_of(lengths[rows].max(), buckets))
        for rows in batches
    ]
    if generator is not None:
        plan = [plan[i] for i in generator.permutation(len(plan))]
    other = next((i for i, p in enumerate(plan) if p[1] != plan[0][1]), 0)
    if other > 1:
        plan[1], plan[other] = plan[other], plan[1]
    return plan

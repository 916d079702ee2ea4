"""Which rows train a model, and which ones test it.

Rows that know of each other stay together: near-copies are dropped, and
related pages share a cluster, which goes into one split as a whole. What this
leaves, by exact comparison with the nearest of the training pages: of 557
pages of `test`, 2 are alike by 0.8 or more and 11 by 0.5 or more; of 447 of
`valid`, 0 and 3; of 465 of `test_unseen`, none by more than 0.24.
"""

import collections
import hashlib

from examples.led_tiny import copies
from examples.led_tiny import packages

SEED = "keras-led"
NAMES = ("train", "valid", "test", "test_unseen")
TEST_SHARE = 0.05
VALID_SHARE = 0.04
# How alike a near-copy is, and a related page.
COPY = 0.8
RELATED = 0.5
# Rows with the same summary, but for the names of the pages.
SAME_SUBJECT = 3
# Pages of a bigger cluster would fill a test with one kind of text.
TEST_CLUSTER = 20


def draw(seed, text):
    """A number in [0, 1) that depends on nothing but two str."""
    digest = hashlib.sha256(f"{seed}:{text}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def clusters(count, links):
    """Numbers the parts of a graph that hang together.

    Args:
        count: int, how many points there are.
        links: iterable of pairs of points, ints below `count`.

    Returns:
        List of `count` ints: for each point the least one that it hangs
        together with.
    """
    neighbours = [[] for _ in range(count)]
    for first, second in links:
        neighbours[first].append(second)
        neighbours[second].append(first)
    numbers = [None] * count
    for start in range(count):
        reached = [start] if numbers[start] is None else []
        while reached:
            point = reached.pop()
            if numbers[point] is None:
                numbers[point] = start
                reached += neighbours[point]
    return numbers


def links_of_equals(keys):
    """Links each place in a list to the first one with an equal key."""
    first = {}
    for place, key in enumerate(keys):
        yield first.setdefault(key, place), place


def without_copies(rows):
    """Drops near-copies and puts the other rows into clusters.

    A row is in the cluster of the pages that it resembles, of those with the
    same name in other packages, and of those with the same summary.

    Args:
        rows: list of `Row`; their `cluster` is set.

    Returns:
        List of the rows that stay.
    """
    texts = [row.document for row in rows]
    pairs = copies.alike(texts, RELATED)
    out = copies.superfluous(
        texts, [pair[:2] for pair in pairs if pair[2] >= COPY]
    )
    links = [pair[:2] for pair in pairs]
    links += links_of_equals(row.page for row in rows)
    links += links_of_equals(row.subject for row in rows)
    numbers = clusters(len(rows), links)
    for row, number in zip(rows, numbers, strict=True):
        row.cluster = number
    return [row for place, row in enumerate(rows) if place not in out]


def without_repetition(rows):
    """Keeps the first `SAME_SUBJECT` rows of each subject, as a list."""
    counts = collections.Counter()
    kept = []
    for row in rows:
        counts[row.subject] += 1
        if counts[row.subject] <= SAME_SUBJECT:
            kept.append(row)
    return kept


def split_of(cluster, unseen, seed):
    """The name of the split that takes a cluster, a list of `Row`."""
    strangers = sum(row.source_package in unseen for row in cluster)
    if strangers == len(cluster):
        return "test_unseen"
    if strangers or len(cluster) > TEST_CLUSTER:
        return "train"
    number = draw(seed, cluster[0].id)
    if number < TEST_SHARE:
        return "test"
    return "valid" if number < TEST_SHARE + VALID_SHARE else "train"


def split(rows, unseen=packages.UNSEEN, seed=SEED):
    """Divides rows into splits.

    Args:
        rows: list of `Row` with clusters.
        unseen: set of str, packages that go into `test_unseen` only; of
            these, rows in a cluster with other packages are left out.
        seed: str, of what goes into `test` and `valid`.

    Returns:
        Dict from each of `NAMES` to a list of `Row`, shuffled in a way that
        only depends on their ids.
    """
    together = {}
    for row in rows:
        together.setdefault(row.cluster, []).append(row)
    splits = {name: [] for name in NAMES}
    for cluster in together.values():
        name = split_of(cluster, unseen, seed)
        splits[name] += [
            row
            for row in cluster
            if name == "test_unseen" or row.source_package not in unseen
        ]
    for name, members in splits.items():
        members.sort(key=lambda row: draw(name, row.id))
    return splits

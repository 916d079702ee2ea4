"""Which texts are nearly the same, and which are related.

Two texts are as alike as the sets of their runs of five words: the size of
the intersection over that of the union. All pairs of 16,000 texts are too
many to compare, so that each text gets a fingerprint of 64 numbers first:
each is the least of the hashes of its runs, mixed in another way. Two
fingerprints agree in a place with a chance of how alike the texts are, and
only texts that agree in four places in a row are compared at all.

The 64 places are far from independent here. A hash of 32 bits times a factor
of 30 bits hardly ever exceeds `PRIME`, and then the least hash stays the
least: most places agree at once or not at all. Of the 3,754 pages that are
dropped as copies, 2,132 are alike to a page that stays by 0.8 or more, and
1,144 by less than a half. The model was trained on rows that were chosen like
this, so this is what a build has to repeat; `splits` says how alike rows of
different splits are, measured by whole sets of runs.

Source: MinHash, Broder, 1997, "On the resemblance and containment of
documents", section 4; bands of places: Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", section 3.4.
"""

import itertools
import zlib

import numpy as np

from examples.led_tiny.cleaning import words

RUN = 5
# The beginning of a text, in words, is enough to know it again.
READ = 3000
PLACES = 64
BAND = 4
PRIME = np.uint64(2**61 - 1)
# Fixed: other factors find other copies.
FACTORS_SEED = 20240501
# So many texts that agree in a band come from one template.
TEMPLATE = 40


def runs(text):
    """The set of runs of `RUN` words of a text; a short text is one run."""
    found = words(text)[:READ]
    last = max(1, len(found) - RUN + 1)
    return {" ".join(found[at : at + RUN]) for at in range(last)}


def fingerprints(texts):
    """Fingerprints of a list of texts: uint64 array, `(texts, PLACES)`."""
    generator = np.random.default_rng(FACTORS_SEED)
    shape, kind = (PLACES, 1), np.uint64
    factors = generator.integers(1, 2**30, shape, dtype=kind)
    offsets = generator.integers(0, 2**30, shape, dtype=kind)
    rows = []
    for text in texts:
        hashes = [zlib.crc32(run.encode()) for run in runs(text)]
        mixed = (factors * np.array(hashes, kind) + offsets) % PRIME
        rows.append(mixed.min(axis=1))
    return np.array(rows, kind).reshape(-1, PLACES)


def candidates(marks):
    """Pairs of texts that agree in a band, as sorted pairs of places.

    In a group of more than `TEMPLATE`, each is paired with the next one only.
    """
    pairs = set()
    for start in range(0, PLACES, BAND):
        groups = {}
        for place, band in enumerate(marks[:, start : start + BAND]):
            groups.setdefault(band.tobytes(), []).append(place)
        for group in groups.values():
            if len(group) > TEMPLATE:
                pairs.update(itertools.pairwise(group))
            else:
                pairs.update(itertools.combinations(group, 2))
    return sorted(pairs)


def alike(texts, least):
    """Finds pairs of texts that are alike.

    Args:
        texts: list of str.
        least: float, 0 to 1, how alike a pair has to be.

    Returns:
        List of `(first, second, how alike)`, places in `texts` in ascending
        order and a float.
    """
    marks = fingerprints(texts)
    compared = (
        (first, second, float(np.mean(marks[first] == marks[second])))
        for first, second in candidates(marks)
    )
    return [pair for pair in compared if pair[2] >= least]


def superfluous(texts, pairs):
    """Chooses which texts to leave out, so that no pair stays whole.

    Args:
        texts: list of str.
        pairs: iterable of pairs of places, in ascending order.

    Returns:
        Set of places: the shorter one of each pair, or the second of two
        that are as long, unless one of them is out already.
    """
    out = set()
    for first, second in pairs:
        if first not in out and second not in out:
            shorter = len(texts[first]) < len(texts[second])
            out.add(first if shorter else second)
    return out

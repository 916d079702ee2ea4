"""Many requests at once, of many lengths, in one process."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

REQUESTS, THREADS = 500, 4
MAX_GROWTH_MB = 48


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads memory from /proc"
)
def test_nothing_is_lost_and_memory_does_not_grow(signatures):
    import tensorflow as tf

    generate = signatures["serving_default"]
    rng = np.random.default_rng(0)
    documents = [
        rng.integers(5, 250, (1 + length % 2, length), "int32")
        for length in range(3, 48, 4)
    ]

    def answer(index):
        ids = documents[index % len(documents)]
        found = generate(
            input_ids=tf.constant(ids),
            attention_mask=tf.ones_like(ids),
            max_new_tokens=tf.constant(1 + index % 3),
        )
        return found["sequences"].numpy().tolist()

    period = 3 * len(documents)
    alone = [answer(index) for index in range(period)]
    with ThreadPoolExecutor(THREADS) as threads:
        first = list(threads.map(answer, range(REQUESTS // 2)))
        before = resident_mb()
        second = list(threads.map(answer, range(REQUESTS // 2, REQUESTS)))
        grown = resident_mb() - before
    expected = [alone[index % period] for index in range(REQUESTS)]
    assert first + second == expected
    assert len({str(tokens) for tokens in alone}) > 4
    assert grown < MAX_GROWTH_MB

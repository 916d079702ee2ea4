"""Useful FLOPs and bytes, against counts made one by one."""

import pytest
from keras import backend

from benchmarks import arithmetic

pytestmark = pytest.mark.skipif(
    backend.backend() != "torch", reason="plain arithmetic: one backend"
)

CONFIG = {
    "vocab_size": 50,
    "d_model": 6,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 10,
    "decoder_ffn_dim": 14,
    "attention_window": [4, 8],
}
DIM, INNER = 6, 14


@pytest.mark.parametrize("length", [1, 3, 7, 20])
@pytest.mark.parametrize("window", [2, 6, 40])
def test_window_pairs_are_those_half_a_window_apart(length, window):
    pairs = [
        (i, j)
        for i in range(length)
        for j in range(length)
        if abs(i - j) <= window // 2
    ]
    assert arithmetic.window_pairs(length, window) == len(pairs)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_global_pairs_leave_out_what_the_band_holds(count):
    length, window = 17, 6
    pairs = [
        (i, j)
        for i in range(length)
        for j in range(count)
        if abs(i - j) > window // 2
    ]
    assert arithmetic.global_pairs(length, window, count) == len(pairs)


def test_dense_counts_a_product_and_a_sum():
    assert arithmetic.dense(3, 5, 7) == sum(2 for _ in range(3 * 5 * 7))


def test_global_rows_take_the_cheaper_way():
    # Few tokens: folding, 4 products of one row with a matrix, and scores
    # and sums of 2 heads over the whole hidden size.
    few = 3 * 2 * 6 * 6 + 4 * 2 * 100 * 6
    assert arithmetic.global_rows(100, 6, 2, 1) == few
    # As many rows as tokens: projecting all of them is cheaper.
    many = 3 * 2 * 100 * 6 * 6 + 4 * 100 * 100 * 6
    assert arithmetic.global_rows(100, 6, 2, 100) == many
    assert arithmetic.global_rows(100, 6, 2, 0) == 0


def test_encoder_is_the_sum_of_its_layers():
    length = 30
    one, other = (
        arithmetic.encoder_flops({**CONFIG, "attention_window": [w]}, length)
        for w in CONFIG["attention_window"]
    )
    assert arithmetic.encoder_flops(CONFIG, length) == one + other
    assert arithmetic.encoder_flops(CONFIG, length, batch=3) == 3 * (
        one + other
    )


def test_encoder_layer_counts_every_product():
    config = {**CONFIG, "attention_window": [4]}
    length = 30
    band = arithmetic.window_pairs(length, 4)
    expected = 4 * 2 * length * 6 * 6 + 4 * band * 6 + 2 * 2 * length * 6 * 10
    found = arithmetic.encoder_flops(config, length, global_tokens=0)
    assert found == expected
    more = arithmetic.encoder_flops(config, length) - found
    # The 27 queries that do not see token 0 in their band, and its own row.
    assert more == 4 * 27 * 6 + arithmetic.global_rows(length, 6, 2, 1)


def test_a_longer_document_costs_in_proportion():
    short, long = (
        arithmetic.encoder_flops(CONFIG, n, global_tokens=0)
        for n in (1000, 2000)
    )
    assert long == pytest.approx(2 * short, rel=0.01)


def test_training_is_three_forward_passes():
    length, targets = 40, 5
    layer = 6 * 2 * targets * DIM * DIM + 2 * 2 * targets * DIM * INNER
    layer += 4 * DIM * (15 + targets * length)  # 1 + 2 + 3 + 4 + 5 pairs
    layer += 2 * 2 * length * DIM * DIM
    forward = arithmetic.encoder_flops(CONFIG, length) + 3 * layer
    forward += 2 * targets * DIM * 50
    assert arithmetic.training_flops(CONFIG, length, targets) == 3 * forward


def test_a_step_reads_weights_once_and_each_beam_its_own_cache():
    weights = 3 * (6 * DIM * DIM + 2 * DIM * INNER) + 50 * DIM
    for beams, weight, cached in ((1, 4, 4), (4, 2, 2), (4, 1, 4)):
        caches = 3 * 2 * DIM * (40 + beams * 7)
        found = arithmetic.step_bytes(CONFIG, 40, 7, beams, weight, cached)
        assert found == weight * weights + cached * caches


def test_limit_takes_the_slower_of_computing_and_reading():
    sizes = CONFIG, 40, 5, 4
    steps = [arithmetic.step_flops(CONFIG, 40, t, 4) for t in range(1, 6)]
    reads = [arithmetic.step_bytes(CONFIG, 40, t, 4) for t in range(1, 6)]
    before = arithmetic.document_projections(CONFIG, 40)
    slow = {"flops_per_second": 10.0, "bytes_per_second": 1e9}
    found = arithmetic.generation_limit(*sizes, slow)
    assert found["flops"] == before + sum(steps)
    assert found["bytes"] == sum(reads)
    assert found["limit_seconds"] == pytest.approx((before + sum(steps)) / 10)
    narrow = {"flops_per_second": 1e9, "bytes_per_second": 10.0}
    found = arithmetic.generation_limit(*sizes, narrow)
    expected = before / 1e9 + sum(reads) / 10
    assert found["limit_seconds"] == pytest.approx(expected)

"""What the table of training steps covers."""

import keras
import pytest

from benchmarks import harness
from benchmarks import training
from benchmarks.contenders import BACKENDS
from benchmarks.contenders import PEER

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="no tensors here"
)


def test_the_table_has_all_lengths_twice_for_us_and_the_peer(capsys):
    options = harness.make_parser(training.BENCHMARK).parse_args([])
    rows = [
        (case["tokens"], case["checkpointing"], contender)
        for case in training.cases(options)
        for contender in options.contenders
        if not training.skips(contender, case)
    ]
    assert len(rows) == len(set(rows))
    for tokens in (1024, 4096, 16384):
        for checkpointing in (False, True):
            found = {c for *case, c in rows if case == [tokens, checkpointing]}
            assert {*BACKENDS, PEER} <= found
    with training.BENCHMARK.prepare(options):
        (line,) = capsys.readouterr().out.splitlines()
    assert "256 target tokens" in line
    assert "checkpointing off and on" in line

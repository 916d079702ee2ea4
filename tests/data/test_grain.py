"""Rows from Grain, the data library of JAX."""

import numpy as np
import pytest

from keras_led.data import Seq2SeqDataset
from tests.data.tokenizers import byte_tokenizer

grain = pytest.importorskip("grain")


def test_a_map_dataset_is_rows():
    rows = [
        {"document": f"Page {n}. " * (n + 1), "summary": f"Line {n}."}
        for n in range(5)
    ]

    def upper(row):
        return {**row, "summary": row["summary"].upper()}

    options = {"batch_size": 2, "max_source_tokens": 48, "seed": 3}
    found = Seq2SeqDataset(
        grain.MapDataset.source(rows).map(upper), byte_tokenizer(), **options
    )
    expected = Seq2SeqDataset(
        list(map(upper, rows)), byte_tokenizer(), **options
    )
    assert len(found) == len(expected) == 3
    for index in range(3):
        inputs, labels = found[index]
        wanted, targets = expected[index]
        np.testing.assert_array_equal(labels, targets)
        for name, array in wanted.items():
            np.testing.assert_array_equal(inputs[name], array)

"""Batches that are read while they are used."""

import json

import numpy as np
import pytest

from keras_led.data import StreamingSeq2SeqDataset
from tests.data.tokenizers import ROWS


class Watched:
    """Rows that note how many of them have been read."""

    def __init__(self, rows):
        self.rows = rows
        self.read = 0

    def __iter__(self):
        for row in self.rows:
            self.read += 1
            yield row


def stream(tokenizer, rows=ROWS, **options):
    defaults = {
        "steps_per_epoch": 4,
        "batch_size": 3,
        "max_source_tokens": 300,
        "max_target_tokens": 20,
        "buckets": (64, 160),
        "shuffle_buffer": 6,
    }
    return StreamingSeq2SeqDataset(rows, tokenizer, **{**defaults, **options})


def lengths(batches):
    return [x["attention_mask"].sum(axis=1).tolist() for x, _ in batches]


def test_no_more_is_read_than_a_buffer_ahead(tokenizer):
    # A chunk of 256 rows is tokenized at once.
    rows = Watched([("d" * (n % 50 + 1), "s") for n in range(5000)])
    data = stream(tokenizer, rows, shuffle_buffer=300)
    assert rows.read == 0
    data[0]
    assert 0 < rows.read <= 600


def test_passes_follow_one_another_and_lose_no_row(tokenizer):
    data = stream(tokenizer, steps_per_epoch=22)
    real = sorted(n for batch in lengths(data) for n in batch)
    once = sorted(min(len(row["document"]) + 2, 300) for row in ROWS)
    # 66 rows are six passes over the eleven.
    assert len(real) == 66
    counts = {n: real.count(n) for n in once}
    assert sum(counts.values()) >= 60
    assert all(3 <= c / once.count(n) <= 8 for n, c in counts.items())
    assert set(real) == set(once)


def test_epochs_go_on_and_can_be_entered_in_the_middle(tokenizer):
    data = stream(tokenizer)
    data.go_to(0)
    first = lengths(data)
    data.go_to(1)
    second = lengths(data)
    assert first != second
    other = stream(tokenizer)
    other.go_to(1, 2)
    assert lengths(other) == second[2:]
    assert len(other) == 2
    assert other.fingerprint == data.fingerprint
    assert stream(tokenizer, seed=1).fingerprint != data.fingerprint


def test_the_first_two_shapes_differ(tokenizer):
    data = stream(tokenizer, shuffle_buffer=11)
    shapes = [x["input_ids"].shape[1] for x, _ in data]
    assert shapes[0] == 300
    assert shapes[1] < 300


def test_all_shapes_are_the_longest_where_none_is_shorter(tokenizer):
    rows = [("d" * 250, "s")] * 6 + [("d", "s")] * 6
    shapes = [x["input_ids"].shape[1] for x, _ in stream(tokenizer, rows)]
    assert shapes == [300] * 4


def test_bad_rows_stop_or_are_skipped(tokenizer, tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps(row) for row in ROWS]
    path.write_text("\n".join(["{", *lines]), encoding="utf-8")
    with pytest.raises(ValueError, match="1 bad rows of .*rows.jsonl:1"):
        list(stream(tokenizer, path))
    data = stream(tokenizer, path, bad_rows="skip")
    with pytest.warns(UserWarning, match="Skipped 1 bad rows of 12"):
        list(data)
    assert data.skipped == 1


def test_unshuffled_rows_keep_their_order(tokenizer):
    rows = [(letter * 5, "s") for letter in "abcdefghi"]
    data = stream(tokenizer, rows, shuffle=False, steps_per_epoch=3)
    ids = np.concatenate([x["input_ids"][:, 1:6] for x, _ in data])
    assert [tokenizer.decode(row)[0] for row in ids] == list("abcdefghi")


def test_labels_without_their_first_token(tokenizer):
    data = stream(tokenizer, strip_bos=True)
    for _, labels in data:
        assert (labels[:, 0] == tokenizer.encode("b")[1]).all()
        assert (labels == tokenizer.eos_token_id).sum(axis=1).tolist() == [
            1
        ] * 3
    assert data.fingerprint != stream(tokenizer).fingerprint


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (iter(ROWS), {}, TypeError, "readable more than once"),
        ("-", {}, TypeError, "standard input"),
        (ROWS, {"steps_per_epoch": 0}, ValueError, "steps_per_epoch=0"),
        (ROWS, {"shuffle_buffer": 0}, ValueError, "shuffle_buffer=0"),
    ],
)
def test_what_cannot_be_streamed_is_refused(
    tokenizer, rows, options, error, message
):
    with pytest.raises(error, match=message):
        stream(tokenizer, rows, **options)

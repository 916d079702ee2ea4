"""Batches: their shapes, masks, order and cache."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from keras_led.data import ClassificationDataset
from keras_led.data import QuestionAnsweringDataset
from keras_led.data import Seq2SeqDataset
from keras_led.data.buckets import make_buckets
from keras_led.data.buckets import plan_batches
from keras_led.tokenizer.shared_backend import SharedBackend
from tests.data.tokenizers import ROWS

BUCKETS = (64, 160, 300)


def dataset(tokenizer, rows=ROWS, **options):
    defaults = {
        "batch_size": 3,
        "max_source_tokens": 300,
        "max_target_tokens": 20,
        "buckets": BUCKETS,
    }
    return Seq2SeqDataset(rows, tokenizer, **{**defaults, **options})


def sources(batches, tokenizer):
    """The documents of all real rows, as text."""
    found = []
    for inputs, labels in batches:
        for row, mask, label in zip(
            inputs["input_ids"], inputs["attention_mask"], labels, strict=True
        ):
            if (label != -100).any():
                ids = row[mask == 1]
                found.append(tokenizer.decode(ids, skip_special_tokens=True))
    return found


def test_every_row_comes_once_in_a_few_shapes(tokenizer):
    data = dataset(tokenizer)
    batches = list(data)
    assert len(batches) == len(data) == 4
    expected = [row["document"][:298] for row in ROWS]
    assert sorted(sources(batches, tokenizer)) == sorted(expected)
    shapes = {inputs["input_ids"].shape for inputs, _ in batches}
    assert shapes <= {(3, length) for length in BUCKETS}
    assert {labels.shape for _, labels in batches} == {(3, 24)}
    assert data.truncated == 2


def test_a_batch_is_what_the_tokenizer_says(tokenizer):
    rows = [ROWS[0], ROWS[2]]
    (inputs, labels) = dataset(tokenizer, rows, shuffle=False)[0]
    expected = tokenizer(
        [row["document"] for row in rows],
        padding="max_length",
        max_length=64,
        return_tensors="np",
    )
    np.testing.assert_array_equal(inputs["input_ids"][:2], expected.input_ids)
    np.testing.assert_array_equal(
        inputs["attention_mask"][:2], expected.attention_mask
    )
    assert inputs["global_attention_mask"].sum(axis=1).tolist() == [1, 1, 1]
    assert inputs["global_attention_mask"][:, 0].tolist() == [1, 1, 1]
    for label, row in zip(labels, rows, strict=False):
        kept = label[label != -100]
        # 20 tokens, of which two are special.
        assert kept.tolist() == tokenizer.encode(row["summary"][:18])
    # The row that fills the batch up has no label that counts.
    assert (labels[2] == -100).all()
    assert inputs["attention_mask"][2].sum() == 2
    assert {a.dtype.name for a in (*inputs.values(), labels)} == {"int32"}


def test_labels_without_their_first_token(tokenizer):
    rows = [ROWS[0], ROWS[3]]
    (_, plain) = dataset(tokenizer, rows, shuffle=False)[0]
    (inputs, labels) = dataset(tokenizer, rows, shuffle=False, strip_bos=True)[
        0
    ]
    assert inputs["input_ids"][:2, 0].tolist() == [tokenizer.bos_token_id] * 2
    for label, row in zip(labels, rows, strict=False):
        text = tokenizer.encode(row["summary"], add_special_tokens=False)
        # 20 tokens, of which `</s>` is special.
        kept = [*text[:19], tokenizer.eos_token_id]
        assert label[label != -100].tolist() == kept
    assert (plain[:2, 0] == tokenizer.bos_token_id).all()
    assert (labels[2] == -100).all()


def test_order_depends_on_seed_and_epoch_alone(tokenizer):
    def order(seed, epoch):
        data = dataset(tokenizer, seed=seed)
        data.go_to(epoch)
        return sources(data, tokenizer)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_an_epoch_can_be_entered_in_the_middle(tokenizer):
    data = dataset(tokenizer)
    data.go_to(5)
    whole = sources(data, tokenizer)
    data.go_to(5, 2)
    assert len(data) == 2
    rest = sources(data, tokenizer)
    assert rest == whole[-len(rest) :]
    with pytest.raises(ValueError, match=r"below 4.* Received: step=4"):
        data.go_to(5, 4)


def test_shuffled_batches_are_refused_where_the_order_matters(tokenizer):
    data = dataset(tokenizer)
    data.go_to(0)
    data[0]
    with pytest.raises(ValueError, match=r"shuffle=False.* batch 2 instead of"):
        data[2]


def test_a_question_attends_globally(tokenizer):
    rows = [{**row, "question": "who?"} for row in ROWS[:2]]
    inputs, _ = dataset(tokenizer, rows, question="question", shuffle=False)[0]
    expected = tokenizer(
        "who?", ROWS[0]["document"], padding="max_length", max_length=300
    )
    assert inputs["input_ids"].shape == (3, 300)
    assert inputs["input_ids"][0].tolist() == expected["input_ids"]
    # `<s>` and the four bytes of the question.
    assert inputs["global_attention_mask"].sum(axis=1).tolist() == [5, 5, 1]
    assert (inputs["global_attention_mask"][0, :5] == 1).all()


def test_a_question_that_leaves_no_room_is_a_bad_row(tokenizer):
    rows = [("who?", "document", "s"), ("w" * 300, "document", "s")]
    with pytest.raises(ValueError, match=r"rows\[1\], `question` of 300 tok"):
        dataset(tokenizer, rows, question="question")


@pytest.mark.parametrize("side", ["right", "left"])
def test_no_text_is_tokenized_further_than_it_is_read(
    tokenizer, monkeypatch, side
):
    rows = [
        ("who?", "long " * 20000, "short"),
        ("long " * 20000, "words", "short"),
        ("who?", "words", "long " * 20000),
    ]
    expected = tokenizer(*rows[0][:2], max_length=300)["input_ids"]
    # 400,000 words took 550 MB as a question.
    lengths, encode = [], SharedBackend.encode

    def counting(self, rows, *args, **kwargs):
        encodings = encode(self, rows, *args, **kwargs)
        lengths.extend(map(len, encodings))
        return encodings

    monkeypatch.setattr(SharedBackend, "encode", counting)
    monkeypatch.setattr(tokenizer, "truncation_side", side)
    with pytest.warns(UserWarning, match="`question` of more than 300 tokens"):
        data = dataset(
            tokenizer, rows, question="question", bad_rows="skip", shuffle=False
        )
    assert max(lengths) <= 301
    assert expected in [
        row for inputs, _ in data for row in inputs["input_ids"].tolist()
    ]


def test_answers_are_found_in_the_tokens(tokenizer):
    document = "The answer is forty-two, they say. " * 3
    start = document.index("forty-two", 40)
    rows = [("what?", document, "forty-two", start)]
    data = QuestionAnsweringDataset(
        rows, tokenizer, batch_size=2, max_source_tokens=200
    )
    inputs, targets = data[0]
    first, last = (int(targets[k][0]) for k in sorted(targets, reverse=True))
    found = tokenizer.decode(inputs["input_ids"][0, first : last + 1])
    assert found == "forty-two"
    assert first > start
    # Past the end, where the loss does not look.
    assert targets["start_positions"][1] == inputs["input_ids"].shape[1]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (("q", "a document", "other", 2), "no `answer` at character 2"),
        (("q", "a document", "document", "2"), "no character's number"),
        (("q", "a document " * 30, "ument", 280), "behind the cut"),
    ],
)
def test_answers_out_of_place_are_bad_rows(tokenizer, row, problem):
    with pytest.raises(ValueError, match=problem):
        QuestionAnsweringDataset([row], tokenizer, max_source_tokens=20)


def test_classes_become_their_places(tokenizer):
    rows = [("one text", "b"), ("two texts", "a")]
    data = ClassificationDataset(
        rows, tokenizer, ["a", "b"], shuffle=False, batch_size=3
    )
    assert data[0][1].tolist() == [1, 0, -100]
    with pytest.raises(ValueError, match=r"rows\[0\], 'b' under `label`, none"):
        ClassificationDataset(rows, tokenizer, ["a", "c"])


class Loud:
    """A tokenizer that must not be asked for anything but its identity."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def __call__(self, *args, **kwargs):
        raise AssertionError("tokenized again")


def test_the_cache_saves_tokenizing_and_notices_changes(tokenizer, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    cache = tmp_path / "cache"
    first = dataset(tokenizer, path, cache_dir=cache)
    again = dataset(Loud(tokenizer), path, cache_dir=cache)
    assert isinstance(again.store.sources, np.memmap)
    assert again.fingerprint == first.fingerprint
    assert again.fingerprint == dataset(tokenizer, ROWS).fingerprint
    assert sources(again, tokenizer) == sources(first, tokenizer)
    with pytest.raises(AssertionError, match="tokenized again"):
        dataset(Loud(tokenizer), path, cache_dir=cache, max_target_tokens=19)
    with pytest.raises(AssertionError, match="tokenized again"):
        dataset(Loud(tokenizer), path, cache_dir=cache, strip_bos=True)
    stripped = dataset(tokenizer, path, cache_dir=cache, strip_bos=True)
    assert stripped.fingerprint != first.fingerprint
    dataset(Loud(tokenizer), path, cache_dir=cache, strip_bos=True)
    text = path.read_text("utf-8").replace("beta", "gamma", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match="tokenized again"):
        dataset(Loud(tokenizer), path, cache_dir=cache)


def cut(path):
    path.write_bytes(path.read_bytes()[:-4])


def change_a_number(path):
    values = np.fromfile(path, "int32")
    values[-1] += 1
    values.tofile(path)


def write_nonsense(path):
    path.write_bytes(b"1234")


def make_a_folder(path):
    path.unlink()
    path.mkdir()


def make_a_device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("name", ["sources", "targets", "lengths"])
@pytest.mark.parametrize(
    "damage",
    [
        cut,
        change_a_number,
        write_nonsense,
        Path.unlink,
        make_a_folder,
        make_a_device,
    ],
)
def test_a_damaged_cache_is_made_anew(tokenizer, tmp_path, name, damage):
    first = sources(dataset(tokenizer, cache_dir=tmp_path), tokenizer)
    (folder,) = tmp_path.iterdir()
    damage(folder / name)
    with pytest.raises(AssertionError, match="tokenized again"):
        dataset(Loud(tokenizer), cache_dir=tmp_path)
    again = dataset(tokenizer, cache_dir=tmp_path)
    assert sources(again, tokenizer) == first
    assert again.fingerprint == dataset(tokenizer).fingerprint
    dataset(Loud(tokenizer), cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"rows": 11', '"rows": 12'),
        ('"bad": 0', '"bad": 3'),
        ('"facts"', '"fact"'),
        ("{", "[" * 100_000),
        ("}", ""),
        ('"sizes": [', '"sizes": [null, '),
    ],
)
def test_damaged_facts_of_a_cache_are_made_anew(tokenizer, tmp_path, old, new):
    dataset(tokenizer, cache_dir=tmp_path)
    (path,) = tmp_path.glob("*/facts.json")
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(AssertionError, match="tokenized again"):
        dataset(Loud(tokenizer), cache_dir=tmp_path)
    dataset(tokenizer, cache_dir=tmp_path)
    assert path.read_text("utf-8") == text


def test_a_cache_that_cannot_be_read_is_not_thrown_away(
    tokenizer, tmp_path, monkeypatch
):
    dataset(tokenizer, cache_dir=tmp_path)

    def no_descriptor(*arguments, **options):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(np, "memmap", no_descriptor)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        dataset(Loud(tokenizer), cache_dir=tmp_path)


def test_skipped_rows_are_told_of_each_time(tokenizer, tmp_path):
    rows = [*ROWS, {"document": "d"}]
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"Skipped 1 bad rows of 12"):
            data = dataset(tokenizer, rows, bad_rows="skip", cache_dir=tmp_path)
        assert data.skipped == 1
    with pytest.raises(ValueError, match="1 bad rows of 12"):
        dataset(tokenizer, rows, cache_dir=tmp_path)


def test_an_iterator_cannot_be_cached(tokenizer, tmp_path):
    with pytest.raises(TypeError, match="readable twice"):
        dataset(tokenizer, iter(ROWS), cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"max_source_tokens": 4}, "max_source_tokens=4"),
        ({"max_target_tokens": 2}, "max_target_tokens=2"),
        ({"buckets": [400]}, "from 1 to 300 tokens.* Received: 400"),
        ({"bad_rows": "hide"}, "bad_rows='hide'"),
    ],
)
def test_bad_options_are_named(tokenizer, options, message):
    with pytest.raises(ValueError, match=message):
        dataset(tokenizer, **options)


def test_buckets_double_up_to_the_limit():
    assert make_buckets(1000) == (128, 256, 512, 1000)
    assert make_buckets(64) == (64,)
    assert make_buckets(64, [16, 32]) == (16, 32, 64)


def test_plans_have_the_same_shapes_in_each_epoch():
    lengths = np.random.default_rng(0).integers(1, 300, 101)

    def plan(seed):
        generator = np.random.default_rng(seed)
        return plan_batches(lengths, BUCKETS, 4, generator)

    shapes = [sorted(length for _, length in plan(seed)) for seed in range(5)]
    assert shapes.count(shapes[0]) == 5
    for seed in range(5):
        rows = [row for batch, _ in plan(seed) for row in batch]
        assert sorted(rows) == list(range(101))
        assert all(lengths[b].max() <= bucket for b, bucket in plan(seed))
        # TensorFlow learns from the first two batches that lengths vary.
        assert plan(seed)[0][1] != plan(seed)[1][1]

"""Vocabularies that the library would take, and die of."""

import json

import pytest
from tokenizers import normalizers

from keras_led.tokenizer import LEDTokenizer


def test_ids_with_a_huge_gap_are_refused(directory, tmp_path):
    vocab = json.loads((directory / "vocab.json").read_text("utf-8"))
    merges = (directory / "merges.txt").read_text("utf-8")
    (tmp_path / "merges.txt").write_text(merges, "utf-8")
    (tmp_path / "vocab.json").write_text(json.dumps({**vocab, "Ω": 2**31 - 1}))
    message = f"{tmp_path}/vocab.json must have ids below .*'Ω': 2147483647"
    with pytest.raises(ValueError, match=message):
        LEDTokenizer.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="^`vocab` must have ids below"):
        LEDTokenizer(vocab={"a": 0, "b": 2**31 - 1}, merges=[])


def test_ids_with_a_small_gap_are_kept(directory, tmp_path):
    vocab = json.loads((directory / "vocab.json").read_text("utf-8"))
    made = LEDTokenizer(vocab={**vocab, "Ω": 5000}, merges=[])
    made.save_pretrained(tmp_path)
    assert LEDTokenizer.from_pretrained(tmp_path).get_vocab()["Ω"] == 5000


def test_huge_gap_in_the_one_file_is_refused(directory, tmp_path):
    content = json.loads((directory / "tokenizer.json").read_text("utf-8"))
    vocab = content["model"]["vocab"]
    # The token of the last id stays, so that the gap is before it.
    first = min(set(vocab) - {t["content"] for t in content["added_tokens"]})
    vocab[first] = 2**31 - 1
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ValueError, match=f"{path} must have ids below"):
        LEDTokenizer.from_pretrained(tmp_path)


def test_two_tokens_of_one_id_are_refused(directory, tmp_path):
    content = json.loads((directory / "tokenizer.json").read_text("utf-8"))
    vocab = content["model"]["vocab"]
    special = content["added_tokens"][0]
    first = min(set(vocab) - {t["content"] for t in content["added_tokens"]})
    vocab[first] = special["id"]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content), "utf-8")
    message = f"{path} must give each token an id of its own"
    with pytest.raises(ValueError, match=message):
        LEDTokenizer.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="`vocab` must give each token"):
        LEDTokenizer(vocab={"a": 0, "b": 0}, merges=[])


@pytest.mark.parametrize(
    "normalizer",
    [
        {
            "type": "Replace",
            "pattern": {"Regex": "(a+)+$"},
            "content": "x",
        },
        {"type": "Prepend", "prepend": "x"},
        {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"String": ""}, "content": "x"},
            ],
        },
    ],
)
def test_pattern_that_may_take_hours_is_refused(
    directory, tmp_path, normalizer
):
    content = json.loads((directory / "tokenizer.json").read_text("utf-8"))
    content["normalizer"] = normalizer
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content), "utf-8")
    message = f"{path} must change a text by .*normalizer=(Replace|Prepend)"
    with pytest.raises(ValueError, match=message):
        LEDTokenizer.from_pretrained(tmp_path)


def test_harmless_normalizers_are_kept(directory, tmp_path):
    content = json.loads((directory / "tokenizer.json").read_text("utf-8"))
    found = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    content["normalizer"] = json.loads(found.__getstate__())
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    loaded = LEDTokenizer.from_pretrained(tmp_path)
    assert loaded("DOG")["input_ids"] == loaded("dog")["input_ids"]

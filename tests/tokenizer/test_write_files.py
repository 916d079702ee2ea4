import json
import os

import pytest

from keras_led.tokenizer import LEDTokenizer
from tests.files.folders import check_kills

FILES = (
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
)
TEXTS = ["a <mask> größer the dog<doc> <new>", "it's\n\n 16384", "北京 </s>"]


@pytest.fixture
def changed(tokenizer):
    """A tokenizer with nothing at its default."""
    tokenizer.add_tokens(["<new>"])
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<doc>"], "pad_token": "[PAD]"}
    )
    tokenizer.model_max_length = 99
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    tokenizer.add_prefix_space = True
    tokenizer.trim_offsets = False
    tokenizer.errors = "ignore"
    tokenizer.clean_up_tokenization_spaces = True
    tokenizer.split_special_tokens = True
    tokenizer.model_input_names = ["input_ids", "special_tokens_mask"]
    return tokenizer


@pytest.mark.parametrize("legacy_format", [None, True, False])
def test_round_trip_keeps_everything(changed, tmp_path, legacy_format):
    names = changed.save_pretrained(tmp_path, legacy_format=legacy_format)
    assert sorted(map(os.path.basename, names)) == sorted(os.listdir(tmp_path))
    loaded = LEDTokenizer.from_pretrained(tmp_path)
    assert loaded.settings() == changed.settings()
    assert (
        loaded.settings() != LEDTokenizer(vocab={"a": 0}, merges=[]).settings()
    )
    assert loaded.special_tokens_map == changed.special_tokens_map
    assert loaded.get_vocab() == changed.get_vocab()
    assert [repr(t) for t in loaded.added_tokens_decoder.values()] == [
        repr(t) for t in changed.added_tokens_decoder.values()
    ]
    for split in (False, True):
        options = {"split_special_tokens": split, "padding": True}
        options["return_offsets_mapping"] = True
        assert loaded(TEXTS, **options) == changed(TEXTS, **options)


@pytest.mark.parametrize("legacy_format", [None, False])
@pytest.mark.parametrize("cls", ["LEDTokenizer", "AutoTokenizer"])
def test_transformers_5_reads_it(tokenizer, tmp_path, cls, legacy_format):
    import transformers

    tokenizer.add_tokens(["<new>"])
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<doc>"], "pad_token": "[PAD]"}
    )
    tokenizer.padding_side = "left"
    tokenizer.save_pretrained(tmp_path, legacy_format=legacy_format)
    peer = getattr(transformers, cls).from_pretrained(tmp_path)
    options = {"padding": True, "return_special_tokens_mask": True}
    assert peer(TEXTS, **options).data == tokenizer(TEXTS, **options).data
    assert peer.model_max_length == 64
    assert peer.all_special_tokens == tokenizer.all_special_tokens
    assert peer.get_vocab() == tokenizer.get_vocab()


def test_names_and_prefix(tokenizer, tmp_path):
    names = tokenizer.save_pretrained(tmp_path / "a/b", filename_prefix="my")
    assert all(os.path.isfile(name) for name in names)
    assert sorted(os.listdir(tmp_path / "a/b")) == [f"my-{x}" for x in FILES]


def test_files_of_an_earlier_save_do_not_stay(tokenizer, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(tmp_path)
    added = json.loads((tmp_path / "added_tokens.json").read_text())
    assert added == {"<new>": len(tokenizer) - 1}
    smaller = LEDTokenizer(vocab={"a": 0}, merges=[])
    smaller.save_pretrained(tmp_path, legacy_format=True)
    assert not (tmp_path / "tokenizer.json").exists()
    assert len(LEDTokenizer.from_pretrained(tmp_path)) == 6
    assert (tmp_path / "model.safetensors").read_bytes() == b"weights"


def test_vocabulary_files_as_transformers_4_writes_them(changed, tmp_path):
    paths = changed.save_vocabulary(tmp_path, filename_prefix="my")
    vocab_path, merges_path = paths
    assert [os.path.basename(p) for p in paths] == [
        "my-vocab.json",
        "my-merges.txt",
    ]
    with open(vocab_path, encoding="utf-8") as file:
        text = file.read()
    vocab = json.loads(text)
    assert len(vocab) == changed.vocab_size  # no added token
    assert text == (
        json.dumps(vocab, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )
    with open(merges_path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    assert lines[0] == "#version: 0.2" and lines[-1] == ""
    assert len(lines) - 2 == len(vocab) - 256 - 5
    made = LEDTokenizer(vocab_path, merges_path, add_prefix_space=True)
    assert made("the dog")["input_ids"] == changed("the dog")["input_ids"]


def test_vocabulary_needs_a_directory(tokenizer, tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(NotADirectoryError, match=f"directory={path}"):
            tokenizer.save_vocabulary(path)
    with pytest.raises(NotADirectoryError, match="file"):
        tokenizer.save_pretrained(tmp_path / "file")


def test_an_interrupted_save_leaves_the_old_files(
    tokenizer, tmp_path, monkeypatch
):
    tokenizer.save_pretrained(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    tokenizer.add_tokens(["<new>"])

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        tokenizer.save_pretrained(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_killed_save_is_the_old_one_or_the_new(tmp_path, monkeypatch):
    old, new = (LEDTokenizer.train([text] * 2, 270) for text in TEXTS[:2])
    old.add_tokens(["<new>"])
    check_kills(monkeypatch, tmp_path, old.save_pretrained, new.save_pretrained)

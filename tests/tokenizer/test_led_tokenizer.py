import copy
import doctest
import pickle
import sys

import pytest

from keras_led.tokenizer import LEDTokenizer
from keras_led.tokenizer import led_tokenizer


def test_example_of_the_docstring():
    result = doctest.testmod(led_tokenizer)
    assert result.attempted == 3 and result.failed == 0


def test_sizes(tokenizer, peer):
    tokenizer.add_tokens(["<new>"])
    assert tokenizer.vocab_size == peer.vocab_size == 459
    assert len(tokenizer) == 460
    assert bool(tokenizer) and tokenizer.is_fast
    assert tokenizer.max_len_single_sentence == 62
    assert tokenizer.max_len_sentences_pair == 60


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_independent(tokenizer, clone):
    tokenizer.add_tokens(["<new>"])
    other = clone(tokenizer)
    text = "the <mask> dog<new>"
    assert other(text) == tokenizer(text)
    other.add_tokens(["<newer>"])
    other.padding_side = "left"
    assert len(tokenizer) == len(other) - 1
    assert tokenizer.padding_side == "right"


def test_settings_can_be_changed_at_any_time(tokenizer):
    with_space = tokenizer(" dog")["input_ids"]
    tokenizer.add_prefix_space = True
    assert tokenizer("dog")["input_ids"] == with_space
    assert tokenizer.backend_tokenizer.encode("dog").ids == with_space
    tokenizer.add_prefix_space = False
    tokenizer.split_special_tokens = True
    assert tokenizer.tokenize("<s>") == ["<", "s", ">"]
    assert tokenizer.tokenize("<s>", split_special_tokens=False) == ["<s>"]
    offsets = tokenizer("a dog", return_offsets_mapping=True)["offset_mapping"]
    tokenizer.trim_offsets = False
    loose = tokenizer("a dog", return_offsets_mapping=True)["offset_mapping"]
    assert (offsets[2][0], loose[2][0]) == (2, 1)
    tokenizer.truncation_side = "top"
    with pytest.raises(ValueError, match="truncation_side='top'"):
        tokenizer("a", max_length=3)


def test_repr_says_what_it_is(tokenizer, directory):
    text = repr(tokenizer)
    assert text.startswith("LEDTokenizer(") and str(directory) in text
    assert "model_max_length=64" in text


def test_missing_library_is_named(directory, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ImportError, match="pip install tokenizers"):
        LEDTokenizer.from_pretrained(directory)

"""What scripts for transformers 4 call, beside transformers itself."""

import copy
import pickle

import pytest

from keras_led.tokenizer import LEDTokenizer
from tests.tokenizer.conftest import CORPUS


def test_targets_are_read_as_documents(tokenizer):
    with tokenizer.as_target_tokenizer() as same:
        assert same is tokenizer
    found = tokenizer.prepare_seq2seq_batch(
        ["The dog.", "The fox jumps."], ["dog", "fox"], max_target_length=4
    )
    expected = tokenizer(["The dog.", "The fox jumps."], padding=True)
    assert found["input_ids"] == expected["input_ids"]
    assert found["attention_mask"] == expected["attention_mask"]
    assert (
        found["labels"] == tokenizer(["dog", "fox"], max_length=4)["input_ids"]
    )


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("truncation", [True, "only_first", "only_second"])
def test_rows_of_ids_are_those_of_the_texts(tokenizer, side, truncation):
    tokenizer.truncation_side = side
    texts = "The quick brown fox", "jumps over the lazy dog."
    ids = [tokenizer(t, add_special_tokens=False)["input_ids"] for t in texts]
    options = {
        "truncation": truncation,
        "max_length": 12,
        "return_special_tokens_mask": True,
        "return_token_type_ids": True,
    }
    found = tokenizer.prepare_for_model(*ids, **options)
    assert found == tokenizer(*texts, **options)


def test_rows_of_ids_are_cut_and_filled_up(tokenizer):
    row = tokenizer.prepare_for_model(
        [10, 11, 12, 13],
        max_length=4,
        truncation=True,
        stride=1,
        return_overflowing_tokens=True,
        return_length=True,
    )
    assert row["input_ids"] == [0, 10, 11, 2] and row["length"] == 4
    assert row["overflowing_tokens"] == [11, 12, 13]
    assert row["num_truncated_tokens"] == 2
    row = tokenizer.prepare_for_model(
        [10],
        add_special_tokens=False,
        padding="max_length",
        max_length=3,
        return_tensors="np",
        prepend_batch_axis=True,
    )
    assert row["input_ids"].tolist() == [[10, 1, 1]]
    with pytest.raises(ValueError, match="only_first.*Received: 3 tokens too"):
        tokenizer.prepare_for_model(
            [10], [10] * 6, truncation="only_first", max_length=8
        )


def test_pad_to_max_length_is_the_old_padding(tokenizer):
    texts = ["The dog.", "The quick brown fox jumps."]
    found = tokenizer(texts, pad_to_max_length=True, max_length=6)
    expected = tokenizer(
        texts, padding="max_length", truncation=True, max_length=6
    )
    assert found == expected
    assert [len(row) for row in found["input_ids"]] == [6, 6]


def test_init_kwargs_make_the_same_tokenizer(tokenizer, directory):
    tokenizer.padding_side = "left"
    arguments = tokenizer.init_kwargs
    assert arguments.pop("name_or_path") == str(directory)
    again = LEDTokenizer(
        vocab=dict(tokenizer.get_vocab()), merges=[], **arguments
    )
    assert again.settings() == tokenizer.settings()
    assert again.special_tokens_map == tokenizer.special_tokens_map


def test_extended_map_holds_the_tokens_with_their_rules(tokenizer):
    tokenizer.additional_special_tokens = ["<doc>"]
    found = tokenizer.special_tokens_map_extended
    assert list(found) == list(tokenizer.special_tokens_map)
    assert found["mask_token"].lstrip and not found["eos_token"].lstrip
    assert [t.content for t in found["additional_special_tokens"]] == ["<doc>"]


@pytest.mark.parametrize("name", ["sep_token", "cls_token"])
def test_a_mark_that_is_missing_is_named_when_it_is_needed(
    tokenizer, directory, name
):
    plain = tokenizer("The dog", add_special_tokens=False)
    tokenizer.pad_token_id = 1
    setattr(tokenizer, f"{name}_id", None)
    assert getattr(tokenizer, name) is None
    assert tokenizer("The dog", add_special_tokens=False) == plain
    with pytest.raises(ValueError, match=f"`{name}` must be set.*{name}=None"):
        tokenizer("The dog")
    with pytest.raises(ValueError, match=f"`{name}` must be set"):
        tokenizer.build_inputs_with_special_tokens([5])
    loaded = LEDTokenizer.from_pretrained(directory, **{name: None})
    assert getattr(loaded, name) is None


def test_another_file_is_read_instead_of_the_directory(directory, tmp_path):
    (tmp_path / "tokenizer.json").write_bytes(
        (directory / "tokenizer.json").read_bytes()
    )
    found = LEDTokenizer.from_pretrained(
        directory, tokenizer_file=tmp_path / "tokenizer.json"
    )
    assert found("The dog")["input_ids"][0] == 0
    none = LEDTokenizer.from_pretrained(directory, tokenizer_file=None)
    assert none.get_vocab() == found.get_vocab()
    files = {
        "vocab_file": directory / "vocab.json",
        "merges_file": directory / "merges.txt",
    }
    both = LEDTokenizer.from_pretrained(directory, **files)
    assert both.get_vocab() == found.get_vocab()


def test_a_small_vocabulary_is_bytes_and_special_tokens(tokenizer, peer):
    tokenizer.additional_special_tokens = ["<doc>"]
    trained = tokenizer.train_new_from_iterator(CORPUS, 100)
    assert len(trained) == 256 + 6
    assert trained.tokenize("The") == ["T", "h", "e"]
    assert trained.decode(trained("Größe")["input_ids"][1:-1]) == "Größe"
    assert len(peer.train_new_from_iterator(CORPUS, 100)) == 256 + 5


def test_spaces_between_special_tokens(tokenizer):
    tokenizer.add_tokens(["<doc>"])
    ids = tokenizer("The dog<doc>jumps")["input_ids"]
    assert tokenizer.decode(ids) == "<s>The dog<doc>jumps</s>"
    spaced = {"spaces_between_special_tokens": True}
    assert tokenizer.decode(ids, **spaced) == "<s> The dog <doc> jumps </s>"
    assert (
        tokenizer.decode(ids, skip_special_tokens=True, **spaced)
        == "The dog <doc> jumps"
    )


def test_use_does_not_change_what_is_pickled(tokenizer):
    fresh = copy.deepcopy(tokenizer)
    before = pickle.dumps(fresh)
    assert pickle.dumps(pickle.loads(before)) == before
    fresh(["a b"], padding="max_length", truncation=True, max_length=5)
    fresh.encode("x <s>", add_special_tokens=False, split_special_tokens=True)
    with pytest.warns(UserWarning, match="longer than the model"):
        fresh("x " * 99)
    assert fresh.decode([4, 5]) and fresh.backend_tokenizer.get_vocab()
    assert pickle.dumps(fresh) == before
    fresh.add_tokens(["<doc>"])
    assert pickle.dumps(fresh) != before

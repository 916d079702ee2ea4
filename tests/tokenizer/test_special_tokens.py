import pytest
from tokenizers import AddedToken

from keras_led.tokenizer import LEDTokenizer

NAMED = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}


def test_ids_are_laid_out_as_in_led(tokenizer):
    assert tokenizer.special_tokens_map == NAMED
    ids = {name: getattr(tokenizer, f"{name}_id") for name in NAMED}
    assert ids == {
        "bos_token": 0,
        "eos_token": 2,
        "unk_token": 3,
        "sep_token": 2,
        "pad_token": 1,
        "cls_token": 0,
        "mask_token": len(tokenizer) - 1,
    }
    assert tokenizer.all_special_tokens == [
        "<s>",
        "</s>",
        "<unk>",
        "<pad>",
        "<mask>",
    ]
    assert tokenizer.all_special_ids == [0, 2, 3, 1, len(tokenizer) - 1]
    assert tokenizer.added_tokens_encoder["<pad>"] == 1
    assert tokenizer.get_added_vocab() == tokenizer.added_tokens_encoder
    assert tokenizer.pad_token_type_id == 0


def test_setting_a_token_or_an_id(tokenizer):
    tokenizer.pad_token = "</s>"
    assert tokenizer.pad_token_id == 2
    tokenizer.pad_token_id = 1
    assert tokenizer.pad_token == "<pad>"
    tokenizer.pad_token = None
    assert tokenizer.pad_token is None and tokenizer.pad_token_id is None
    tokenizer.unk_token_id = None
    assert tokenizer.convert_tokens_to_ids("nowhere") is None


def test_setting_the_tokens_around_a_text_changes_what_is_encoded(tokenizer):
    tokenizer.cls_token = "<mask>"
    tokenizer.sep_token = "<pad>"
    ids = tokenizer("a")["input_ids"]
    assert [ids[0], ids[-1]] == [tokenizer.mask_token_id, 1]
    assert ids == tokenizer.build_inputs_with_special_tokens(ids[1:-1])
    assert tokenizer.backend_tokenizer.encode("a").ids == ids


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pad_token", "[PAD]", r"'\[PAD\]'. To add it, call `add_special_tok"),
        ("pad_token_id", 9999, "below 459. Received: pad_token_id=9999"),
        ("mask_token", 7, "`mask_token` must be a str .* Received: int"),
    ],
)
def test_setting_what_cannot_be(tokenizer, name, value, message):
    with pytest.raises((TypeError, ValueError), match=message):
        setattr(tokenizer, name, value)


def test_added_tokens_are_never_split(tokenizer):
    size, plain = len(tokenizer), tokenizer.vocab_size
    assert tokenizer.add_tokens(["<sum>", "the", "<sum>"]) == 2
    assert (len(tokenizer), tokenizer.vocab_size) == (size + 2, plain)
    assert tokenizer.add_tokens("<sum>") == 0
    assert tokenizer.tokenize("a<sum>b") == ["a", "<sum>", "b"]
    ids = tokenizer("a<sum>b")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "a<sum>b"
    assert tokenizer.get_vocab()["<sum>"] == size
    assert tokenizer.vocab == tokenizer.get_vocab()
    with pytest.raises(TypeError, match="`new_tokens` must be .* of int"):
        tokenizer.add_tokens([3])


def test_added_special_tokens(tokenizer):
    size = len(tokenizer)
    added = tokenizer.add_special_tokens(
        {
            "pad_token": "[PAD]",
            "mask_token": "[MASK]",
            "additional_special_tokens": ["<doc>", AddedToken("<sep>")],
        }
    )
    assert added == 4 == len(tokenizer) - size
    assert tokenizer.pad_token_id == size
    assert tokenizer.additional_special_tokens == ["<doc>", "<sep>"]
    assert tokenizer.additional_special_tokens_ids == [size + 2, size + 3]
    assert tokenizer.tokenize("x [MASK]<doc>") == ["x", "[MASK]", "<doc>"]
    ids = tokenizer("x [MASK]<doc>")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "x"
    assert tokenizer.get_special_tokens_mask(
        ids, already_has_special_tokens=True
    ) == [1, 0, 1, 1, 1]


def test_additional_tokens_are_replaced_or_extended(tokenizer):
    tokenizer.add_special_tokens({"extra_special_tokens": ["<a>"]})
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<b>"]},
        replace_additional_special_tokens=False,
    )
    assert tokenizer.extra_special_tokens == ["<a>", "<b>"]
    tokenizer.additional_special_tokens = ["<c>"]
    assert tokenizer.additional_special_tokens == ["<c>"]
    assert tokenizer.all_special_tokens[-1] == "<c>"
    tokenizer.add_special_tokens({"additional_special_tokens": []})
    assert tokenizer.additional_special_tokens == []


def test_unknown_special_token_is_refused_before_anything_is_added(tokenizer):
    size = len(tokenizer)
    with pytest.raises(ValueError, match="bos_token, .*Received: 'padtoken'"):
        tokenizer.add_special_tokens({"eos_token": "[E]", "padtoken": "[P]"})
    assert len(tokenizer) == size and tokenizer.eos_token == "</s>"


def test_missing_special_tokens_go_after_the_vocabulary():
    vocab = {"a": 0, "b": 1, "ab": 2}
    tokenizer = LEDTokenizer(vocab=vocab, merges=[("a", "b")])
    # The order in which transformers 4 adds them.
    assert tokenizer.convert_ids_to_tokens(range(3, 8)) == [
        "<s>",
        "</s>",
        "<unk>",
        "<pad>",
        "<mask>",
    ]
    assert tokenizer("ab")["input_ids"] == [3, 2, 4]


def test_ids_with_gaps_are_kept_but_leave_no_room():
    special = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}
    tokenizer = LEDTokenizer(vocab={**special, "a": 5, "b": 7}, merges=[])
    assert tokenizer("ab")["input_ids"] == [0, 5, 7, 2]
    with pytest.raises(ValueError, match="'<x>' .* id, 7, .* to 'b'"):
        tokenizer.add_tokens("<x>")


def test_byte_outside_the_vocabulary_becomes_the_unknown_token():
    special = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}
    tokenizer = LEDTokenizer(vocab={**special, "a": 5}, merges=[])
    assert tokenizer("axa")["input_ids"] == [0, 5, 3, 5, 2]

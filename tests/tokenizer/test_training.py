import pytest
from tokenizers import AddedToken

from keras_led.tokenizer import LEDTokenizer

TEXTS = ["low lower lowest", "new newer newest", "wide wider widest"] * 4


def test_layout_of_a_new_vocabulary():
    tokenizer = LEDTokenizer.train(
        TEXTS,
        vocab_size=275,
        additional_special_tokens=["<doc>"],
        model_max_length=512,
    )
    first = tokenizer.convert_ids_to_tokens(range(4))
    assert first == ["<s>", "<pad>", "</s>", "<unk>"]
    last = tokenizer.convert_ids_to_tokens([273, 274])
    assert last == ["<doc>", "<mask>"]
    assert len(tokenizer) == tokenizer.vocab_size == 275
    assert sorted(tokenizer.get_vocab().values()) == list(range(275))
    assert tokenizer.additional_special_tokens == ["<doc>"]
    assert tokenizer.model_max_length == 512
    text = "any \x00 byte, größer, 北京 🎈"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.tokenize("x <mask><doc>") == ["x", "<mask>", "<doc>"]


def test_most_frequent_pairs_are_merged_first():
    tokenizer = LEDTokenizer.train(["abab abab ab"], vocab_size=263)
    # "a b" occurs five times, then "Ġ ab" and "ab ab" twice each.
    assert tokenizer.tokenize("abab ab") == ["ab", "ab", "Ġab"]


def test_min_frequency_and_token_length():
    rare = LEDTokenizer.train(["abc"], vocab_size=400, min_frequency=2)
    assert rare.tokenize("abc") == ["a", "b", "c"]
    short = LEDTokenizer.train(["abcd"] * 9, vocab_size=400, max_token_length=2)
    assert max(map(len, short.tokenize("abcd"))) == 2


def test_lists_and_generators_give_the_same():
    expected = LEDTokenizer.train(TEXTS, vocab_size=280).get_vocab()
    batches = [TEXTS[:5], TEXTS[5:]]
    assert LEDTokenizer.train(batches, vocab_size=280).get_vocab() == expected
    texts = (text for text in TEXTS)
    assert LEDTokenizer.train(texts, vocab_size=280).get_vocab() == expected


def test_training_like_another_equals_the_peer(tokenizer, peer):
    ours = tokenizer.train_new_from_iterator(TEXTS, vocab_size=290)
    expected = peer.train_new_from_iterator(TEXTS, vocab_size=290)
    assert set(ours.get_vocab()) == set(expected.get_vocab())
    text = "lowest newer wide unseen <mask>"
    # The peer gives `<mask>` id 4; here it stays last, as it was.
    assert ours.mask_token_id == len(ours) - 1
    assert ours.tokenize(text) == [
        token.strip() for token in expected.tokenize(text)
    ]


def test_training_like_another_keeps_settings_and_special_tokens(tokenizer):
    tokenizer.padding_side = "left"
    tokenizer.pad_token = None
    tokenizer.add_special_tokens({"additional_special_tokens": ["<doc>"]})
    size = len(tokenizer)
    new = tokenizer.train_new_from_iterator(
        TEXTS,
        vocab_size=280,
        new_special_tokens=["<a>", AddedToken("<b>", rstrip=True)],
        special_tokens_map={"<s>": "[CLS]", "<mask>": "[M]"},
    )
    assert new.settings() == tokenizer.settings()
    assert new.convert_ids_to_tokens(range(4)) == [
        "[CLS]",
        "<pad>",
        "</s>",
        "<unk>",
    ]
    last = new.convert_ids_to_tokens(range(len(new) - 4, len(new)))
    assert last == ["[M]", "<doc>", "<a>", "<b>"]
    assert (new.bos_token, new.cls_token) == ("[CLS]", "[CLS]")
    assert (new.mask_token, new.pad_token) == ("[M]", None)
    assert new.additional_special_tokens == ["<doc>", "<a>", "<b>"]
    assert new.tokenize("x [M]<b> y") == ["x", "[M]", "<b>", "y"]
    assert len(tokenizer) == size and tokenizer.cls_token == "<s>"
    assert new("low")["input_ids"][0] == new.cls_token_id == 0


@pytest.mark.parametrize(
    ("texts", "size", "message"),
    [
        (TEXTS, 260, "at least 261: 256 bytes and 5 .*vocab_size=260"),
        (TEXTS, 300.5, "Received: vocab_size=300.5"),
        ("one text", 300, "`text_iterator` must be an iterable.*Received: str"),
        (7, 300, "Received: int"),
        (["a", 7], 300, "item 1 of type int"),
        ([["a", None]], 300, "item 0 of type list"),
        ([], 300, "at least one text"),
        (["", [""]], 300, "at least one text"),
    ],
)
def test_bad_corpus_or_size(texts, size, message):
    with pytest.raises((TypeError, ValueError), match=message):
        LEDTokenizer.train(texts, vocab_size=size)


def test_an_error_inside_the_iterator_reaches_the_caller():
    def texts():
        yield "a"
        raise OSError("cannot read page 2")

    with pytest.raises(OSError, match="page 2"):
        LEDTokenizer.train(texts(), vocab_size=300)


def test_unknown_argument_is_named_with_the_nearest():
    with pytest.raises(TypeError, match="'model_max_len'. Did you mean"):
        LEDTokenizer.train(TEXTS, vocab_size=300, model_max_len=5)

"""Calls of the tokenizer: against transformers 5 and written expectations."""

import concurrent.futures

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from keras_led.tokenizer import LEDTokenizer

BATCH = ["The quick brown fox", "", " Long  documents\n\n, 16384!", "größer"]
PAIRS = ["the lazy dog", "北京大学", "", "we've <mask> said </s>"]
EVERYTHING = {
    "return_token_type_ids": True,
    "return_special_tokens_mask": True,
    "return_offsets_mapping": True,
    "return_length": True,
}


def assert_same(ours, expected):
    assert list(ours) == list(expected)
    for name, value in expected.items():
        np.testing.assert_equal(ours[name], value, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"add_special_tokens": False},
        {"padding": True},
        {"padding": "longest", "pad_to_multiple_of": 8},
        {"padding": True, "padding_side": "left"},
        {"padding": "max_length"},
        {"padding": "max_length", "max_length": 20, "truncation": True},
        {"max_length": 7},
        {"truncation": True},
        {"truncation": "longest_first", "max_length": 9},
        {"truncation": False, "max_length": 9},
        {"truncation": "only_first", "max_length": 50},
        {"padding": True, "return_attention_mask": False},
        {"split_special_tokens": True},
        {"padding": True, "truncation": True, "max_length": 16}
        | {"return_overflowing_tokens": True, "stride": 2},
        {"padding": True, "return_tensors": "np"},
    ],
    ids=str,
)
@pytest.mark.parametrize("form", ["single", "pair", "batch", "pairs", "tuples"])
def test_call_equals_the_peer(tokenizer, peer, form, options):
    pairs = list(zip(BATCH, PAIRS, strict=True))
    inputs = {
        "single": (BATCH[2],),
        "pair": (BATCH[2], PAIRS[3]),
        "batch": (BATCH,),
        "pairs": (BATCH, PAIRS),
        "tuples": (pairs,),
    }[form]
    options = {**options, **EVERYTHING}
    if form == "single" and options.get("return_tensors"):
        options["return_offsets_mapping"] = False  # as for the peer: 3 axes
    assert_same(tokenizer(*inputs, **options), peer(*inputs, **options))


@pytest.mark.parametrize("side", ["left", "right"])
def test_truncation_side_equals_the_peer(tokenizer, peer, side, monkeypatch):
    monkeypatch.setattr(peer, "truncation_side", side)
    tokenizer.truncation_side = side
    options = {"max_length": 12, "stride": 3, "truncation": "only_second"}
    options["return_overflowing_tokens"] = True
    assert_same(
        tokenizer("fox", BATCH[2], **options),
        peer("fox", BATCH[2], **options),
    )


@hypothesis.given(text=strategies.text(), pair=strategies.text(min_size=1))
@hypothesis.settings(
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
def test_any_text_equals_the_peer_and_comes_back(tokenizer, peer, text, pair):
    options = {"return_offsets_mapping": True, "verbose": False}
    assert_same(tokenizer(text, pair, **options), peer(text, pair, **options))
    ids = tokenizer(text, add_special_tokens=False, verbose=False)
    assert tokenizer.decode(ids["input_ids"]) == text


def test_layout_of_single_text_and_pair(tokenizer):
    a, b = tokenizer.convert_tokens_to_ids(["a", "b"])
    assert tokenizer("a")["input_ids"] == [0, a, 2]
    assert tokenizer("a", "b")["input_ids"] == [0, a, 2, 2, b, 2]


def test_an_empty_second_text_is_a_text(tokenizer):
    # transformers gives [0, a, 2] here, but the six ids in a batch.
    alone = tokenizer("a", "")["input_ids"]
    assert alone == tokenizer(["a"], [""])["input_ids"][0]
    assert alone[2:] == [2, 2, 2]


def test_empty_batch(tokenizer):
    assert dict(tokenizer([])) == {"input_ids": [], "attention_mask": []}
    arrays = tokenizer([], padding=True, return_tensors="np")
    assert arrays["input_ids"].shape == (0,)


def test_single_text_as_array_gets_a_batch_axis(tokenizer):
    assert tokenizer("fox", return_tensors="np")["input_ids"].ndim == 2
    assert tokenizer.encode("fox", return_tensors="np").shape[0] == 1


def test_text_target_gives_labels(tokenizer):
    both = tokenizer(BATCH, text_target=PAIRS, padding=True)
    assert list(both) == ["input_ids", "attention_mask", "labels"]
    alone = tokenizer(text_target=PAIRS, padding=True)
    assert both["labels"] == alone["input_ids"]
    assert alone == tokenizer(PAIRS, padding=True)
    pair = tokenizer(text_target="a", text_pair_target="b")
    assert pair == tokenizer("a", "b")


def test_target_has_a_length_of_its_own(tokenizer):
    both = tokenizer(
        "the lazy dog",
        text_target="the lazy dog",
        truncation=True,
        max_length=6,
        max_target_length=4,
    )
    assert (len(both["input_ids"]), len(both["labels"])) == (6, 4)


# -- behaviour of transformers 4 that transformers 5 lost -------------------


def test_add_prefix_space_at_call_time(tokenizer):
    expected = tokenizer(" Hello")["input_ids"]
    assert tokenizer("Hello", add_prefix_space=True)["input_ids"] == expected
    assert tokenizer(" Hello", add_prefix_space=True)["input_ids"] == expected
    assert tokenizer("Hello")["input_ids"] != expected  # nothing is left over
    assert tokenizer.tokenize("a<mask>a", add_prefix_space=True) == [
        *tokenizer.tokenize(" a"),
        "<mask>",
        *tokenizer.tokenize(" a"),
    ]


def test_every_word_gets_a_space(tokenizer, directory):
    words = ["Hello", "lazy", "dogs"]
    split = tokenizer(words, is_split_into_words=True)
    assert split["input_ids"] == tokenizer(" Hello lazy dogs")["input_ids"]
    import transformers

    peer = transformers.LEDTokenizer.from_pretrained(
        directory, add_prefix_space=True
    )
    options = {"is_split_into_words": True, "return_offsets_mapping": True}
    assert_same(tokenizer(words, **options), peer(words, **options))
    batch = [[words, ["a"]], [["a"], []]]
    assert_same(
        tokenizer(batch[0], batch[1], **options),
        peer(batch[0], batch[1], **options),
    )
    pairs = [(words, ["a"]), (["b", "c"], ["d"])]
    assert_same(tokenizer(pairs, **options), peer(pairs, **options))


def test_mask_takes_the_space_before_it(tokenizer):
    assert tokenizer.tokenize("a <mask> b") == ["a", "<mask>", "Ġ", "b"]


# -- the other ways to encode -----------------------------------------------


def test_other_names_give_the_same(tokenizer):
    ids = tokenizer("the fox", "a")["input_ids"]
    assert tokenizer.encode("the fox", "a") == ids
    assert tokenizer.encode_plus("the fox", "a")["input_ids"] == ids
    batch = tokenizer.batch_encode_plus([("the fox", "a"), "b"])["input_ids"]
    assert batch == [ids, tokenizer.encode("b")]


def test_tokenize_equals_the_peer(tokenizer, peer):
    for options in ({}, {"add_special_tokens": True}, {"pair": "dog"}):
        text = " Größe 北京 don't\t<mask>"
        assert tokenizer.tokenize(text, **options) == [
            # The peer shows the space that the mask took; the token is one.
            token.replace("\t<mask>", "<mask>")
            for token in peer.tokenize(text, **options)
        ]


def test_calls_with_other_options_in_threads_do_not_mix(tokenizer):
    text = "the quick brown fox jumps over the lazy dog"

    def length(limit):
        return len(tokenizer(text, max_length=limit)["input_ids"])

    limits = list(range(2, 10)) * 25
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(length, limits)) == limits


# -- errors ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((None,), "`text` or `text_target` must be given"),
        ((3,), "`text` must be a str. Received: text of type int"),
        ((["a", None],), r"`text\[1\]` must be a str. .*NoneType.* Pass a str"),
        (([["a", "b", "c"]],), "is_split_into_words=True"),
        ((np.array(["a"]),), "`text` must be a str. .*ndarray"),
        (("a", 3), "`text_pair` must be a str. .*int"),
        ((["a"], "b"), "`text_pair` must be a list, .*type str"),
        ((["a", "b"], ["c"]), "as many texts as `text`. Received: 1 and 2"),
        ((["a", "b"], ["c", 1.5]), r"`text_pair\[1\]` must be a str. .*float"),
        (("a\ud800b",), "surrogate at character 1 of text 0. Clean"),
        ((["a"], ["\ud800"]), "surrogate at character 0"),
    ],
    ids=repr,
)
def test_input_that_is_no_text(tokenizer, inputs, message):
    with pytest.raises((TypeError, ValueError), match=message):
        tokenizer(*inputs)


def test_words_that_are_no_text(tokenizer):
    with pytest.raises(TypeError, match="must be a list of words .* type str"):
        tokenizer("a b", is_split_into_words=True)
    with pytest.raises(TypeError, match=r"`text\[0\]\[1\]` must be a str.*int"):
        tokenizer([["a", 1]], is_split_into_words=True)


def test_single_text_is_no_batch(tokenizer):
    with pytest.raises(TypeError, match="must be a list. Received: str"):
        tokenizer.batch_encode_plus("a")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 1}, "room for the 2 special tokens. .*max_length=1"),
        ({"truncation": "only_second", "max_length": 5}, "needs pairs"),
        ({"max_length": 6, "stride": 4}, "stride=4, with max_length=6, .* 2 "),
        ({"max_length": 6, "stride": -1}, "`stride` must be .*stride=-1"),
    ],
    ids=str,
)
def test_lengths_that_leave_no_text(tokenizer, options, message):
    with pytest.raises(ValueError, match=message):
        tokenizer("the lazy dog", **options)


def test_text_that_cannot_be_cut_as_asked(tokenizer):
    overflow = {"return_overflowing_tokens": True, "max_length": 8}
    with pytest.raises(ValueError, match="or `stride` is not .* stride=3"):
        tokenizer("a b c d", "a b c d e", stride=3, **overflow)
    with pytest.raises(ValueError, match="too short .*'only_first', max_len"):
        tokenizer(
            "a", "the lazy dog jumps", truncation="only_first", max_length=6
        )


def test_unknown_argument_is_named_with_the_nearest(tokenizer):
    with pytest.raises(TypeError, match="'max_len'. Did you mean 'max_length'"):
        tokenizer("a", max_len=3)
    with pytest.raises(TypeError, match="unknown argument 'global_attn'.$"):
        tokenizer.encode("a", global_attn=3)


def test_too_long_text_warns_once(directory):
    tokenizer = LEDTokenizer.from_pretrained(directory, model_max_length=5)
    with pytest.warns(UserWarning, match="11 tokens, and .* is 5. Pass `trunc"):
        tokenizer("123456789", verbose=True)
    tokenizer("123456789")  # a second warning would be an error here
    silent = LEDTokenizer.from_pretrained(directory, model_max_length=5)
    silent("123456789", verbose=False)
    silent("123456789", truncation=True)
    silent("123456789", truncation=False, max_length=99)

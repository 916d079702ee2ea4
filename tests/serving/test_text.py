"""The tokenizer in the graph beside `LEDTokenizer`."""

import json
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from tokenizers import AddedToken

from keras_led import LEDTokenizer
from tests.serving.conftest import TEXTS

DATA = Path(__file__).parents[2] / "examples" / "data" / "test.jsonl"
LIMIT = 16384
AWKWARD = (
    "",
    " ",
    "  two  spaces ",
    "tab\tand\nnewline \n\n x",
    "don't can't I'll we've 'S's",
    "<s> hi </s><pad>x",
    "a<mask>b \t<mask>  <mask>",
    "emoji 👩‍👩‍👧 ٣ ४५ ſ İ ß",
    "x  1 22  333 1.5e-7 0xFF",
    "\u00a0nbsp\u2003em\u200b zero a\u0301",
    "\r\n\r\n",
    "!!??...---  ",
    "\x01 ctrl",
    "६ Ĵ ĴA \x1c\x85\u2028 \x0b\ufeff",
)
# What an added token can ask for, each with others that it meets.
ADDED = (
    AddedToken("<doc>", special=True),
    AddedToken("<doc-sep>"),
    AddedToken("<left>", lstrip=True),
    AddedToken("<right>", rstrip=True, normalized=False),
    AddedToken("<word>", single_word=True),
    AddedToken("sep>", normalized=False),
)
SEPARATED = (
    "One document.<doc-sep>Another one. <doc-sep> A third<doc-sep>",
    "<doc><doc><doc-<doc-sep>>x</doc>",
    "a \t<left>\n b <right>  \n<left> c<right>\u3000d <left>  ",
    "<word> <word>a a<word> .<word>. _<word> <doc><word><doc>é<word>",
    "a sep> <s> </s>",
    "  <doc>  two  ",
)
SETTINGS = (
    {"add_prefix_space": True},
    {"split_special_tokens": True},
    {"truncation_side": "left"},
    {"clean_up_tokenization_spaces": True},
    {"add_prefix_space": True, "split_special_tokens": True},
)


@pytest.fixture(scope="module")
def both(pair):
    import tensorflow as tf

    from keras_led.serving.text import GraphTokenizer

    _, tokenizer = pair
    graph = GraphTokenizer(tokenizer, LIMIT)
    encode = tf.function(
        graph.encode, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    decode = tf.function(
        graph.decode, input_signature=[tf.TensorSpec([None, None], tf.int32)]
    )
    return tokenizer, encode, decode


def test_ids_and_masks_of_a_batch_are_equal(both):
    tokenizer, encode, _ = both
    texts = [*AWKWARD, *TEXTS]
    ids, mask = encode(texts)
    expected = tokenizer(texts, padding=True, return_tensors="np")
    np.testing.assert_array_equal(ids, expected["input_ids"])
    np.testing.assert_array_equal(mask, expected["attention_mask"])


def test_real_documents_are_equal_there_and_back(both):
    tokenizer, encode, decode = both
    lines = DATA.read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["document"] for line in lines]
    for text in texts:
        ids = tokenizer(text, truncation=True, max_length=LIMIT)["input_ids"]
        assert encode([text])[0].numpy()[0].tolist() == ids
        back = decode([ids]).numpy()[0].decode()
        assert back == tokenizer.decode(ids, skip_special_tokens=True).strip()


def test_any_ids_give_the_text_of_python(both):
    tokenizer, _, decode = both
    ids = np.random.default_rng(0).integers(0, len(tokenizer), (200, 9))
    expected = tokenizer.batch_decode(ids, skip_special_tokens=True)
    found = [text.decode() for text in decode(ids.astype("int32")).numpy()]
    assert found == [text.strip() for text in expected]


def test_long_texts_are_cut_before_the_end_token(pair):
    import tensorflow as tf

    from keras_led.serving.text import GraphTokenizer

    _, tokenizer = pair
    graph = GraphTokenizer(tokenizer, 10)
    ids, _ = tf.function(graph.encode)(tf.constant(TEXTS))
    expected = tokenizer(list(TEXTS), truncation=True, max_length=10)
    assert ids.numpy().tolist() == expected["input_ids"]


def test_nul_characters_are_dropped(both):
    tokenizer, encode, _ = both
    ids = encode(["abc \x00def\x00"])[0].numpy()[0].tolist()
    assert ids == tokenizer("abc def")["input_ids"]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_added_tokens_and_settings_are_those_of_python(pair, settings):
    import tensorflow as tf

    from keras_led.serving.text import GraphTokenizer

    tokenizer = LEDTokenizer.train(list(TEXTS) * 3, 300, **settings)
    tokenizer.add_tokens(list(ADDED))
    graph = GraphTokenizer(tokenizer, 24)
    texts = [*SEPARATED, *AWKWARD, *TEXTS]
    expected = tokenizer(texts, truncation=True, max_length=24, padding=True)
    assert graph.encode(texts)[0].numpy().tolist() == expected["input_ids"]
    ids = np.random.default_rng(1).integers(0, len(tokenizer), (40, 9))
    texts = ["Yes , we 've met . It 's done !", "<doc> a <doc-sep> ?"]
    rows = [*ids.tolist(), *tokenizer(texts)["input_ids"]]
    for row in rows:
        ids = np.asarray([row], "int32")
        found = graph.decode(tf.constant(ids)).numpy()[0].decode()
        text = tokenizer.decode(row, skip_special_tokens=True)
        assert found == text.strip()


def test_other_marks_around_a_text_are_those_of_python(pair):
    from keras_led.serving.text import GraphTokenizer

    tokenizer = LEDTokenizer.train(list(TEXTS) * 3, 300)
    tokenizer.cls_token, tokenizer.sep_token = "<mask>", "<pad>"
    ids, _ = GraphTokenizer(tokenizer, 24).encode(["a"])
    assert ids.numpy().tolist() == [tokenizer("a")["input_ids"]]


def _without_pad(tokenizer):
    tokenizer.pad_token = None


def _with_spaces(tokenizer):
    tokenizer.add_tokens([AddedToken("\n\n"), AddedToken("x", rstrip=True)])


def _with_normalizer(tokenizer):
    nfc = tokenizers.normalizers.NFC()
    tokenizer.backend_tokenizer.normalizer = nfc


def _with_dropout(tokenizer):
    tokenizer.backend_tokenizer.model.dropout = 0.1


def _with_errors(tokenizer):
    tokenizer.errors = "ignore"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without_pad, "`pad_token`.* Received: pad_token=None"),
        (_with_spaces, r"`rstrip`.* Received: '\\n\\n'"),
        (_with_normalizer, "its `normalizer`.* Received: normalizer='NFC'"),
        (_with_dropout, "its `dropout`.* Received: dropout=0.1"),
        (_with_errors, "its `errors`.* Received: errors='ignore'"),
    ],
)
def test_what_a_graph_cannot_follow_is_refused_by_name(pair, change, message):
    from keras_led.serving.text import GraphTokenizer

    tokenizer = LEDTokenizer.train(list(TEXTS) * 3, 300)
    change(tokenizer)
    with pytest.raises(ValueError, match=message):
        GraphTokenizer(tokenizer, 24)


def test_bytes_without_a_token_are_unknown_or_refused(pair):
    from keras_led.serving.text import GraphTokenizer

    vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5}
    tokenizer = LEDTokenizer(vocab={**vocab, "ab": 6}, merges=[("a", "b")])
    ids, _ = GraphTokenizer(tokenizer, 24).encode(["abcca é"])
    assert ids.numpy().tolist() == [tokenizer("abcca é")["input_ids"]]
    tokenizer = LEDTokenizer(vocab={"a": 0, "b": 1}, merges=[])
    with pytest.raises(ValueError, match="every byte .* 254 bytes are missing"):
        GraphTokenizer(tokenizer, 24)

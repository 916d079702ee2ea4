"""The tokenizer in the graph beside `LEDTokenizer`."""

import json
from pathlib import Path

import numpy as np
import pytest

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
    "a<mask>b",
    "emoji 👩‍👩‍👧 ٣ ४५ ſ İ ß",
    "x  1 22  333 1.5e-7 0xFF",
    "\u00a0nbsp\u2003em\u200b zero a\u0301",
    "\r\n\r\n",
    "!!??...---  ",
    "\x01 ctrl",
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

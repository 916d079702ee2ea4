import copy
import pickle

import keras
import numpy as np
import pytest

from keras_led.tokenizer import BatchEncoding
from keras_led.tokenizer import CharSpan
from keras_led.tokenizer import TokenSpan

TEXT, PAIR = "The quick größer fox", "it's 北京"


@pytest.fixture
def encoded(tokenizer):
    return tokenizer([TEXT, "a b"], [PAIR, "c"])


def test_is_a_dict_with_attributes(encoded):
    assert isinstance(encoded, dict)
    assert encoded.input_ids is encoded["input_ids"]
    encoded.labels = [[1], [2]]
    assert list(encoded) == ["input_ids", "attention_mask", "labels"]
    assert encoded.data == dict(encoded)
    with pytest.raises(AttributeError, match="no 'global_mask'. It has input_"):
        _ = encoded.global_mask
    with pytest.raises(KeyError, match="global_mask"):
        encoded["global_mask"]


def test_rows_by_number(encoded):
    assert encoded[0].ids == encoded["input_ids"][0]
    assert [row.ids for row in encoded[:2]] == encoded["input_ids"]
    plain = BatchEncoding({"input_ids": [[1], [2], [3]]})
    assert plain[1:] == {"input_ids": [[2], [3]]}


@pytest.mark.parametrize(
    ("method", "last"),
    [
        ("token_to_sequence", "tokens"),
        ("token_to_word", "tokens"),
        ("token_to_chars", "tokens"),
        ("char_to_token", "chars"),
        ("char_to_word", "chars"),
    ],
)
def test_positions_equal_the_peer(encoded, peer, method, last):
    expected = peer([TEXT, "a b"], [PAIR, "c"])
    count = len(encoded.tokens()) if last == "tokens" else len(TEXT)
    for index in range(count):
        ours = getattr(encoded, method)(0, index)
        assert ours == getattr(expected, method)(0, index)


def test_words_equal_the_peer(encoded, peer):
    expected = peer([TEXT, "a b"], [PAIR, "c"])
    assert encoded.word_ids(0) == expected.word_ids(0)
    assert encoded.sequence_ids(1) == expected.sequence_ids(1)
    assert encoded.tokens(1) == expected.tokens(1)
    assert encoded.n_sequences == expected.n_sequences == 2
    for word in range(3):
        for sequence in (0, 1):
            arguments = 0, word, sequence
            span = encoded.word_to_tokens(*arguments)
            assert span == expected.word_to_tokens(*arguments)
            if span is not None:
                assert encoded.word_to_chars(
                    *arguments
                ) == expected.word_to_chars(*arguments)
    assert encoded.word_to_chars(0, 99) is None


def test_spans_have_names(tokenizer):
    encoded = tokenizer("The dog")
    assert encoded.token_to_chars(1) == CharSpan(start=0, end=3)
    assert encoded.token_to_chars(0) is None
    assert encoded.token_to_chars(-2).end == 7
    assert encoded.word_to_tokens(0) == TokenSpan(start=1, end=2)
    assert encoded.is_fast


def test_the_row_must_be_named_when_there_are_several(encoded):
    with pytest.raises(ValueError, match="one index, 3, for 2 rows. Pass"):
        encoded.token_to_chars(3)


def test_a_plain_dict_knows_no_positions():
    plain = BatchEncoding({"input_ids": [1]})
    assert plain.encodings is None and not plain.is_fast
    with pytest.raises(ValueError, match="does not know where its tokens lie"):
        plain.word_ids()


@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_keep_everything(encoded, clone):
    other = clone(encoded)
    assert type(other) is BatchEncoding and other == encoded
    assert other.word_ids(1) == encoded.word_ids(1)


def test_conversion_in_place(encoded):
    plain = BatchEncoding({"input_ids": [1, 2]})
    assert plain.convert_to_tensors("np", prepend_batch_axis=True) is plain
    np.testing.assert_array_equal(plain.input_ids, [[1, 2]])
    with pytest.raises(ValueError, match="`input_ids` must have rows of one"):
        encoded.convert_to_tensors("np")
    assert isinstance(encoded.attention_mask, list)  # nothing half done


def test_keras_takes_it_as_it_is(tokenizer):
    class CountTokens(keras.Model):
        def call(self, inputs):
            return keras.ops.sum(inputs["attention_mask"], axis=-1)

    texts = ["The quick", "größer dog", "a"]
    encoded = tokenizer(texts, padding=True, return_tensors="np")
    model = CountTokens()
    model.compile(loss="mse")
    expected = encoded.attention_mask.sum(axis=1)
    np.testing.assert_array_equal(
        model.predict(encoded, batch_size=2, verbose=0), expected
    )
    assert model.evaluate(encoded, expected, verbose=0) == 0
    doubled = keras.tree.map_structure(lambda x: 2 * x, encoded)
    assert type(doubled) is BatchEncoding
    np.testing.assert_array_equal(doubled.input_ids, 2 * encoded.input_ids)


def test_tensors_of_pytorch_move_and_others_stay(tokenizer):
    torch = pytest.importorskip("torch")
    found = tokenizer(["The dog"], return_tensors="pt")
    assert found.to(torch.device("meta"), non_blocking=True) is found
    assert found["input_ids"].device.type == "meta"
    lists = tokenizer("The dog")
    assert lists.to("cpu")["input_ids"] == tokenizer("The dog")["input_ids"]
    with pytest.raises(TypeError, match="`device` .* device=torch.float16"):
        lists.to(torch.float16)

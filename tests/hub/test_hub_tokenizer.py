import keras_hub
import numpy as np
import pytest

from keras_led.hub import LEDTokenizer
from tests.hub.conftest import DOCUMENTS

# Where KerasHub's own byte-pair tokenizer gives other ids: long numbers,
# white space in front of a digit, added tokens.
TEXTS = [*DOCUMENTS, "1234567 \n 89", "  two\u00a0 spaces<mask> ", "🙂 </s>"]


@pytest.fixture(scope="module")
def layer(folder):
    return LEDTokenizer.from_preset(folder)


def expected(tokenizer):
    return [
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS
    ]


def test_ids_are_those_of_the_tokenizer(layer, tokenizer):
    assert layer(TEXTS) == expected(tokenizer)
    assert layer(np.array(TEXTS)) == expected(tokenizer)
    assert layer(TEXTS[1]) == expected(tokenizer)[1]
    assert layer([]) == []


def test_a_graph_of_tf_data_gives_the_same(layer, tokenizer):
    tf = pytest.importorskip("tensorflow")
    texts = tf.data.Dataset.from_tensor_slices(TEXTS)
    rows = [row.numpy().tolist() for row in texts.map(layer)]
    assert rows == expected(tokenizer)
    (batch,) = texts.batch(20).map(layer)
    assert batch.to_list() == expected(tokenizer)


def test_texts_come_back(layer):
    assert layer.detokenize(layer(DOCUMENTS)) == DOCUMENTS
    assert layer.detokenize(np.array(layer("a b"))) == "a b"


def test_the_vocabulary(layer, tokenizer):
    assert layer.vocabulary_size() == len(tokenizer)
    assert layer.get_vocabulary()[:3] == ["<s>", "<pad>", "</s>"]
    assert layer.token_to_id("</s>") == layer.end_token_id == 2
    assert layer.id_to_token(1) == layer.pad_token
    assert set(layer.special_token_ids) >= {0, 1, 2}
    with pytest.raises(ValueError, match="token='no such token'"):
        layer.token_to_id("no such token")
    with pytest.raises(ValueError, match="id=99999"):
        layer.id_to_token(99999)


def test_a_preset_brings_back_all_of_it(layer, tokenizer, tmp_path):
    layer.save_to_preset(tmp_path)
    # KerasHub finds the class by the backbone of the preset.
    (tmp_path / "config.json").write_text(
        '{"registered_name": "keras_led>LEDBackbone", "class_name": '
        '"LEDBackbone"}',
        encoding="utf-8",
    )
    for cls in (LEDTokenizer, keras_hub.tokenizers.Tokenizer):
        again = cls.from_preset(str(tmp_path))
        assert type(again) is LEDTokenizer
        assert again(TEXTS) == expected(tokenizer)


def test_vocabulary_and_merges_make_one(folder, tokenizer):
    layer = LEDTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    assert layer(DOCUMENTS) == expected(tokenizer)[: len(DOCUMENTS)]


def test_what_cannot_be_read_is_named(layer):
    with pytest.raises(ValueError, match="must have a vocabulary"):
        LEDTokenizer()("a")
    with pytest.raises(TypeError, match="int at index 1"):
        layer(["a", 3])
    with pytest.raises(TypeError, match="add_prefix_space without"):
        LEDTokenizer(add_prefix_space=True)

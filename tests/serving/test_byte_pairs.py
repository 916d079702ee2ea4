"""Where KerasHub moves what the export of texts stands on, this says so."""

import keras_hub
import pytest

from keras_led.serving.byte_pairs import NAMES
from keras_led.serving.byte_pairs import byte_pair_merger

VOCABULARY = {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}


def test_symbols_are_merged_in_the_order_of_the_merges():
    tf = pytest.importorskip("tensorflow")
    _, merge = byte_pair_merger(VOCABULARY, ["a b", ("ab", "c")])
    words = tf.ragged.constant([["a", "b", "c"], ["c", "a"], ["a", "b", "a"]])
    found = tf.function(merge)(words).to_list()
    assert found == [[b"abc"], [b"c", b"a"], [b"ab", b"a"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_has_moved_is_told(name, monkeypatch):
    monkeypatch.delattr(keras_hub.tokenizers.BytePairTokenizer, name)
    with pytest.raises(RuntimeError, match=f"KerasHub 0.*without {name}"):
        byte_pair_merger(VOCABULARY, ["a b"])

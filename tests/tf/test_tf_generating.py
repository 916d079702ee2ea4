import numpy as np
import pytest
import tensorflow as tf

from keras_led import GenerationConfig
from keras_led import LEDForConditionalGeneration
from tests import peer
from tests.tf.models import LENGTH
from tests.tf.models import golden

OPTIONS = {"num_beams": 2, "max_new_tokens": 5, "min_new_tokens": 3}


@pytest.fixture(scope="module")
def model():
    return golden("TFLEDForConditionalGeneration", "tensorflow")[0]


@pytest.fixture(scope="module")
def documents():
    return {
        "input_ids": peer.token_ids(2, LENGTH, 1),
        "attention_mask": peer.padding_mask("right", 2, LENGTH),
        "global_attention_mask": peer.global_mask("mixed", 2, LENGTH),
    }


def test_xla_writes_the_tokens_of_the_plain_model(model, documents):
    masks = {
        "head_mask": np.array([[1, 1, 0, 1], [0.5, 1, 1, 1]], "float32"),
        "decoder_head_mask": np.array([[1, 0, 1]], "float32"),
        "cross_attn_head_mask": np.array([[0.5, 1, 1]], "float32"),
    }
    found = model.generate(documents, jit_compile=True, **OPTIONS, **masks)
    assert found.dtype == tf.int32
    own = LEDForConditionalGeneration(model.config)
    own.set_weights(model.get_weights())
    expected = own.generate(documents, **OPTIONS, **masks)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 2


def test_arguments_stand_where_they_stood(model, documents):
    config = GenerationConfig(max_new_tokens=3, min_new_tokens=3)
    ids = documents["input_ids"]
    masks = {k: v for k, v in documents.items() if k != "input_ids"}
    seen = []

    def processor(input_ids, scores, cur_len):
        seen.append((tuple(input_ids.shape), cur_len))
        return scores

    by_position = model.generate(ids, config, [processor], **masks)
    assert [length for _, length in seen] == [1, 2, 3]
    assert all(shape[1] == length for shape, length in seen)
    by_name = model.generate(input_ids=ids, generation_config=config, **masks)
    np.testing.assert_array_equal(by_position, by_name)
    with pytest.raises(ValueError, match="Received: both"):
        model.generate(ids, input_ids=ids)
    with pytest.raises(TypeError, match="mean 'num_beams'"):
        model.generate(ids, num_beam=2)

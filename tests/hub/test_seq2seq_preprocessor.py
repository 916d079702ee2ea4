import numpy as np
import pytest

from keras_led.hub import LEDSeq2SeqLMPreprocessor
from keras_led.hub import LEDTokenizer
from tests.hub.conftest import DOCUMENTS
from tests.hub.conftest import TARGETS


@pytest.fixture(scope="module")
def layer(folder):
    return LEDSeq2SeqLMPreprocessor.from_preset(
        folder, decoder_sequence_length=6, buckets=[16, 48]
    )


def assert_same(left, right):
    for one, other in zip(left, right, strict=True):
        if isinstance(one, dict):
            assert one.keys() == other.keys()
            one, other = list(one.values()), list(other.values())
            assert_same(one, other)
        else:
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_rows_are_those_of_bart(layer, tokenizer):
    inputs, targets, weights = layer((DOCUMENTS[2:3], ["a script list"]))
    source = tokenizer(DOCUMENTS[2])["input_ids"]
    target = tokenizer("a script list")["input_ids"]
    assert inputs["encoder_token_ids"].shape == (1, 16)
    assert inputs["encoder_token_ids"][0, : len(source)].tolist() == source
    assert inputs["encoder_padding_mask"].sum() == len(source)
    row = ([2, *target] + [1] * 9)[:7]
    assert inputs["decoder_token_ids"].tolist() == [row[:-1]]
    assert targets.tolist() == [row[1:]]
    counts = min(len(target), 6)
    assert weights.tolist() == [[1.0] * counts + [0.0] * (6 - counts)]


def test_every_form_of_a_pair_gives_the_same(layer):
    expected = layer((DOCUMENTS, TARGETS))
    assert_same(layer(DOCUMENTS, y=TARGETS), expected)
    texts = {"encoder_text": DOCUMENTS, "decoder_text": TARGETS}
    assert_same(layer(texts), expected)
    arrays = {name: np.array(x) for name, x in texts.items()}
    assert_same(layer(arrays), expected)


def test_a_graph_of_tf_data_gives_the_same(layer):
    tf = pytest.importorskip("tensorflow")
    pairs = tf.data.Dataset.from_tensor_slices((DOCUMENTS, TARGETS))
    (batch,) = pairs.batch(9).map(layer)
    assert_same(batch, layer((DOCUMENTS, TARGETS)))
    # Single rows are as long as the longest, so that they can be batched.
    rows = list(pairs.map(layer).batch(9))
    inputs, targets, _ = rows[0]
    assert inputs["encoder_token_ids"].shape == (5, 96)
    assert targets.shape == (5, 6)


def test_rows_are_padded_to_the_bucket_of_the_longest(layer):
    def length(documents):
        inputs, *_ = layer((documents, ["a"] * len(documents)))
        return inputs["encoder_token_ids"].shape[1]

    assert length(["a", "script"]) == 16
    assert length(["a", "Dinge, über den Text " * 2]) == 48
    assert length(["a", "Dinge, über den Text " * 30]) == 96


def test_weights_of_rows_reach_their_tokens(layer):
    _, _, plain = layer((DOCUMENTS, TARGETS))
    rows = np.array([1.0, 0.0, 2.0, 1.0, 0.5], "float32")
    _, _, weighted = layer(DOCUMENTS, y=TARGETS, sample_weight=rows)
    np.testing.assert_allclose(weighted, plain * rows[:, None])


def test_generation_starts_with_the_start_token_alone(layer):
    inputs = layer.generate_preprocess(DOCUMENTS[:2])
    assert inputs["decoder_token_ids"].shape == (2, 6)
    assert inputs["decoder_padding_mask"].sum(axis=1).tolist() == [1, 1]
    prompted = layer.generate_preprocess(
        {"encoder_text": DOCUMENTS[:2], "decoder_text": ["a", ""]}
    )
    assert prompted["decoder_token_ids"][0, :2].tolist() == [2, 0]
    assert prompted["decoder_padding_mask"].sum(axis=1).tolist() == [3, 1]


def test_special_tokens_and_padding_leave_the_text(layer, tokenizer):
    ids = np.array([[2, 0, *tokenizer("a list")["input_ids"][1:], 1, 1]])
    mask = np.ones_like(ids)
    mask[0, -1] = 0
    inputs = {"decoder_token_ids": ids, "decoder_padding_mask": mask}
    assert layer.generate_postprocess(inputs) == ["a list"]
    single = {name: x[0] for name, x in inputs.items()}
    assert layer.generate_postprocess(single) == "a list"


def test_settings_survive(layer, tmp_path):
    layer.save_to_preset(tmp_path)
    (tmp_path / "config.json").write_text(
        '{"registered_name": "keras_led>LEDBackbone", "class_name": '
        '"LEDBackbone"}',
        encoding="utf-8",
    )
    again = LEDSeq2SeqLMPreprocessor.from_preset(tmp_path)
    assert again.get_config() == layer.get_config()
    assert again.buckets == [16, 48]
    assert_same(again((DOCUMENTS, TARGETS)), layer((DOCUMENTS, TARGETS)))


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        ({"encoder_texts": ["a"]}, ValueError, "'encoder_texts'.*Did you"),
        ({"decoder_text": ["a"]}, ValueError, "must hold 'encoder_text'"),
        ({"encoder_text": ["a"]}, ValueError, "texts to write.*y=None"),
        ((["a", "b"], ["c"]), ValueError, "`decoder_text`.*2.*1 texts"),
        ((["a", 3], ["c", "d"]), TypeError, "`encoder_text`.*int at index 1"),
    ],
)
def test_bad_batches_are_named(layer, inputs, error, words):
    with pytest.raises(error, match=words):
        layer(inputs)


def test_a_prompt_without_room_is_refused(layer):
    with pytest.raises(ValueError, match="`decoder_sequence_length`.*room"):
        layer.generate_preprocess(
            {"encoder_text": ["a"], "decoder_text": ["a script of a list " * 4]}
        )


def test_bad_lengths_are_refused():
    with pytest.raises(ValueError, match="encoder_sequence_length=0"):
        LEDSeq2SeqLMPreprocessor(LEDTokenizer(), encoder_sequence_length=0)
    with pytest.raises(ValueError, match="`buckets`.*64"):
        LEDSeq2SeqLMPreprocessor(
            LEDTokenizer(), encoder_sequence_length=32, buckets=[64]
        )

"""Each wrong call is refused with the argument and the value it had."""

import numpy as np
import pytest
from keras import ops

import keras_led
from tests import peer
from tests.models.pairs import BATCH
from tests.models.pairs import both_sides
from tests.models.pairs import document
from tests.models.pairs import pair

LENGTH = 11
NAME = "LEDForConditionalGeneration"


def call(change, name=NAME):
    """Calls a model with inputs changed by `change`, a dict."""
    inputs = {**both_sides(LENGTH, "right", "mixed"), **change}
    return pair(name)[0](**{k: v for k, v in inputs.items() if v is not None})


def ones(*shape):
    return np.ones(shape, "int32")


def floats(*shape):
    return np.ones(shape, "float32")


CASES = {
    "ids of rank 1": (
        {"input_ids": ones(LENGTH)},
        ValueError,
        rf"`input_ids` must have rank 2.*Received: shape \({LENGTH},\)",
    ),
    "ids of rank 3": (
        {"input_ids": ones(BATCH, LENGTH, 1)},
        ValueError,
        r"`input_ids` must have rank 2.*Received: shape \(3, 11, 1\)",
    ),
    "id past the vocabulary": (
        {"input_ids": 37 * ones(BATCH, LENGTH)},
        ValueError,
        r"`input_ids` must hold token ids from 0 to 36.*Received: .*37",
    ),
    "negative id": (
        {"input_ids": -2 * ones(BATCH, LENGTH)},
        ValueError,
        r"`input_ids` must hold token ids.*Received: .*-2",
    ),
    "float ids": (
        {"input_ids": floats(BATCH, LENGTH)},
        TypeError,
        r"`input_ids` must hold integers.*Received: dtype=float32",
    ),
    "decoder id past the vocabulary": (
        {"decoder_input_ids": 40 * ones(BATCH, 4)},
        ValueError,
        r"`decoder_input_ids` must hold token ids.*Received: .*40",
    ),
    "document too long": (
        {
            "input_ids": ones(BATCH, 41) * 5,
            "attention_mask": None,
            "global_attention_mask": None,
        },
        ValueError,
        r"`input_ids` must be at most 40 tokens.*"
        r"max_encoder_position_embeddings.*Received: 41.*Truncate",
    ),
    "decoder input too long": (
        {"decoder_input_ids": ones(BATCH, 19) * 5},
        ValueError,
        r"`decoder_input_ids` must be at most 18 tokens.*"
        r"max_decoder_position_embeddings.*Received: 19",
    ),
    "attention mask of another shape": (
        {"attention_mask": ones(BATCH, LENGTH - 1)},
        ValueError,
        r"`attention_mask` must have the shape \(3, 11\).*\(3, 10\)",
    ),
    "attention mask of another batch": (
        {"attention_mask": ones(BATCH + 1, LENGTH)},
        ValueError,
        r"`attention_mask` must have the shape \(3, 11\).*\(4, 11\)",
    ),
    "global mask of another rank": (
        {"global_attention_mask": ones(BATCH)},
        ValueError,
        r"`global_attention_mask` must have rank 2.*\(3,\)",
    ),
    "decoder mask of another shape": (
        {"decoder_attention_mask": ones(BATCH, 4)},
        ValueError,
        r"`decoder_attention_mask` must have the shape \(3, 5\).*\(3, 4\)",
    ),
    "both ids and embeddings": (
        {"inputs_embeds": floats(BATCH, LENGTH, 24)},
        ValueError,
        "`input_ids` and `inputs_embeds`.*Received: both",
    ),
    "neither ids nor embeddings": (
        {"input_ids": None},
        ValueError,
        "`input_ids` and `inputs_embeds`.*Received: neither",
    ),
    "both decoder ids and embeddings": (
        {"decoder_inputs_embeds": floats(BATCH, 5, 24)},
        ValueError,
        "`decoder_input_ids` and `decoder_inputs_embeds`.*Received: both",
    ),
    "embeddings of another width": (
        {"input_ids": None, "inputs_embeds": floats(BATCH, LENGTH, 23)},
        ValueError,
        r"`inputs_embeds`.*24.*\(3, 11, 23\)",
    ),
    "head mask of another shape": (
        {"head_mask": floats(2, 3)},
        ValueError,
        r"`head_mask` must have the shape \(2, 4\).*\(2, 3\)",
    ),
    "decoder head mask of another shape": (
        {"decoder_head_mask": floats(2, 4)},
        ValueError,
        r"`decoder_head_mask` must have the shape \(2, 3\).*\(2, 4\)",
    ),
    "labels of another shape": (
        {"labels": ones(BATCH, 6)},
        ValueError,
        r"`labels` must have the shape \(3, 5\).*\(3, 6\)",
    ),
    "label past the vocabulary": (
        {"labels": 99 * ones(BATCH, 5)},
        ValueError,
        r"`labels`.*99",
    ),
    "negative label": (
        {"labels": -7 * ones(BATCH, 5)},
        ValueError,
        r"`labels`.*-7",
    ),
    "misspelt keyword": (
        {"global_attn_mask": ones(BATCH, LENGTH)},
        TypeError,
        "`global_attn_mask`.*Did you mean 'global_attention_mask'",
    ),
    "past of another depth": (
        {"past_key_values": ((floats(1), floats(1)),)},
        ValueError,
        "`past_key_values`.*Received: 1 layers",
    ),
    "no documents": (
        {"input_ids": ones(0, LENGTH)},
        ValueError,
        r"`input_ids` must hold at least one row.*\(0, 11\)",
    ),
    "documents without tokens": (
        {"input_ids": ones(BATCH, 0)},
        ValueError,
        r"`input_ids` must hold at least one row and one token.*\(3, 0\)",
    ),
    "decoder input without tokens": (
        {"decoder_input_ids": ones(BATCH, 0)},
        ValueError,
        r"`decoder_input_ids` must hold at least.*\(3, 0\)",
    ),
    "labels without tokens": (
        {"decoder_input_ids": None, "labels": ones(BATCH, 0)},
        ValueError,
        r"`labels` must hold at least.*\(3, 0\)",
    ),
    "embeddings without tokens": (
        {"input_ids": None, "inputs_embeds": floats(BATCH, 0, 24)},
        ValueError,
        r"`inputs_embeds` must hold at least.*\(3, 0, 24\)",
    ),
    "text": (
        {"input_ids": "a document"},
        TypeError,
        "`input_ids` must be an array.*Received: a str.*tokenizer",
    ),
    "an array of text": (
        {"input_ids": np.full((BATCH, LENGTH), "text")},
        TypeError,
        "`input_ids` must hold integers.*Received: dtype=<U4",
    ),
    "a list": (
        {"input_ids": [[5, 2]] * BATCH},
        TypeError,
        "`input_ids` must be an array.*Received: a list",
    ),
    "decoder inputs of another batch": (
        {"decoder_input_ids": 5 * ones(BATCH - 1, 5)},
        ValueError,
        "`decoder_input_ids` must have a row for each.*`input_ids`, 3.*2 rows",
    ),
    "labels longer than the decoder reads": (
        {"decoder_input_ids": None, "labels": 5 * ones(BATCH, 19)},
        ValueError,
        "`labels` must be at most 18 tokens.*Received: 19.*`max_target_tokens`",
    ),
    "labels of another batch": (
        {"decoder_input_ids": None, "labels": 5 * ones(BATCH + 1, 5)},
        ValueError,
        "`labels` must have a row for each.*`input_ids`, 3.*4 rows",
    ),
    "decoder inputs of another batch than the encoder's": (
        {
            "input_ids": None,
            "encoder_outputs": floats(BATCH + 1, LENGTH, 24),
            "attention_mask": None,
        },
        ValueError,
        "`decoder_input_ids` must have a row for each.*4.*Received: 3 rows",
    ),
    "a number for the encoder's outputs": (
        {"input_ids": None, "encoder_outputs": 5},
        TypeError,
        "`encoder_outputs` must start with hidden states.*Received: a int",
    ),
    "encoder outputs without tokens": (
        {"input_ids": None, "encoder_outputs": floats(BATCH, 0, 24)},
        ValueError,
        r"`encoder_outputs` must hold at least.*\(3, 0, 24\)",
    ),
    "encoder outputs of another rank": (
        {"encoder_outputs": floats(BATCH, 24)},
        ValueError,
        r"`encoder_outputs`.*\(3, 24\)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_wrong_call_is_refused(name):
    change, error, message = CASES[name]
    with pytest.raises(error, match=f"(?s){message}"):
        call(change)


def test_wrong_key_in_a_dict_is_refused():
    inputs = {**document(LENGTH), "attention_masks": ones(BATCH, LENGTH)}
    with pytest.raises(TypeError, match=r"`attention_masks`.*'attention_mask'"):
        pair(NAME)[0]({k: v for k, v in inputs.items() if v is not None})


def test_mask_for_another_document_is_refused_with_encoder_outputs():
    change = {
        "input_ids": None,
        "encoder_outputs": floats(BATCH, LENGTH, 24),
        "attention_mask": ones(BATCH, LENGTH + 2),
    }
    with pytest.raises(ValueError, match=r"(?s)`attention_mask`.*\(3, 13\)"):
        call(change)


def test_default_decoder_input_longer_than_its_table_names_the_remedy():
    inputs = {"input_ids": ones(1, 20) * 5}
    message = r"(?s)at most 18 tokens.*Received: 20.*pass shorter `decoder_in"
    with pytest.raises(ValueError, match=message):
        pair(NAME)[0](**inputs)


def test_cached_steps_past_the_table_are_refused():
    ours, _ = pair(NAME)
    inputs = both_sides(LENGTH, targets=18)
    output = ours(**{k: v for k, v in inputs.items() if v is not None})
    with pytest.raises(ValueError, match=r"(?s)at most 18 tokens.*19"):
        ours(
            decoder_input_ids=ones(BATCH, 1) * 5,
            past_key_values=output.past_key_values,
        )


def test_missing_decoder_inputs_are_named():
    change = {
        "input_ids": None,
        "inputs_embeds": floats(BATCH, LENGTH, 24),
        "decoder_input_ids": None,
    }
    with pytest.raises(ValueError, match="`decoder_input_ids`.*Received"):
        call(change)


def test_classification_needs_ids():
    ours = keras_led.LEDForSequenceClassification(
        keras_led.LEDConfig(**{**peer.TINY})
    )
    with pytest.raises(ValueError, match="`input_ids`.*None"):
        ours(inputs_embeds=floats(BATCH, LENGTH, 24))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 1, 2]), "`labels`.*2"),  # two classes only
        (floats(BATCH, 3), r"`labels`.*\(3, 2\).*\(3, 3\)"),
        (ones(BATCH, 2), r"`labels`.*\(3, 1\).*\(3, 2\)"),
        (ones(BATCH - 1), r"`labels`.*\(3,\).*\(2,\)"),
    ],
)
def test_wrong_class_labels_are_refused(labels, message):
    ours = keras_led.LEDForSequenceClassification(
        keras_led.LEDConfig(**peer.TINY)
    )
    ids = peer.token_ids(BATCH, LENGTH)
    ids[:, -1] = 2
    with pytest.raises(ValueError, match=f"(?s){message}"):
        ours(input_ids=ids, labels=labels)


def test_a_config_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="`config` must be.*dict"):
        keras_led.LEDModel(dict(peer.TINY))


def test_embeddings_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"(?s)\(37, 24\).*\(36, 24\)"):
        pair(NAME)[0].set_input_embeddings(ops.zeros((36, 24)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"new_num_tokens": 0}, "`new_num_tokens`.*0"),
        ({"new_num_tokens": -3}, "`new_num_tokens`.*-3"),
        ({"pad_to_multiple_of": 0}, "`pad_to_multiple_of`.*0"),
    ],
)
def test_wrong_vocabulary_sizes_are_refused(options, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        pair(NAME)[0].resize_token_embeddings(**options)

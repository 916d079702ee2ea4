import inspect

import numpy as np
import pytest
import tensorflow as tf

import keras_led
from tests.tf.models import LENGTH
from tests.tf.models import batch
from tests.tf.models import fresh

ORDER = (
    "input_ids",
    "attention_mask",
    "decoder_input_ids",
    "decoder_attention_mask",
    "head_mask",
    "decoder_head_mask",
    "encoder_outputs",
    "global_attention_mask",
)


@pytest.fixture(scope="module")
def model():
    return fresh()


@pytest.fixture(scope="module")
def bare():
    return fresh("TFLEDModel")


@pytest.mark.parametrize("name", ["model", "bare"])
def test_positions_names_dicts_and_lists_are_the_same(name, request):
    model = request.getfixturevalue(name)
    inputs = batch()
    in_order = [inputs.get(name) for name in ORDER]
    expected = model(**inputs)[0]
    ids = inputs.pop("input_ids")
    for found in (
        model(*in_order),
        model(in_order),
        model(tuple(in_order)),
        model({"input_ids": ids, **inputs}),
        model(input_ids={"input_ids": ids, **inputs}),
        model(ids, **inputs),
        model.call({"input_ids": tf.constant(ids), **inputs}),
    ):
        np.testing.assert_array_equal(found[0], expected)


def test_the_old_name_of_input_ids_is_taken_with_a_warning(model):
    inputs = batch()
    expected = model(**inputs).logits
    with pytest.warns(FutureWarning, match="`input_ids`"):
        found = model(inputs=inputs.pop("input_ids"), **inputs)
    np.testing.assert_array_equal(found.logits, expected)


def test_errors_name_what_is_wrong(model):
    ids = batch()["input_ids"]
    with pytest.raises(TypeError, match="mean 'global_attention_mask'"):
        model(ids, global_attn_mask=ids)
    with pytest.raises(TypeError, match="np.array"):
        model([[3, 4, 5]])
    with pytest.raises(ValueError, match="at most 18.*Received: 19"):
        model([ids] * 19)
    with pytest.raises(TypeError, match="once.*attention_mask"):
        model([ids, ids], attention_mask=ids)


def test_embeddings_stand_for_ids(model):
    inputs = batch()
    expected = model(**inputs).logits
    table = model.get_input_embeddings()
    for name in ("", "decoder_"):
        embeds = table(inputs.pop(f"{name}input_ids"))
        inputs[f"{name}inputs_embeds"] = embeds
    np.testing.assert_allclose(model(inputs).logits, expected, atol=1e-6)


def test_encoder_and_decoder_give_what_the_model_gives(model):
    inputs = batch()
    options = {"output_attentions": True, "output_hidden_states": True}
    whole = model(**inputs, **options)
    encoder, decoder = model.get_encoder(), model.get_decoder()
    # The order of TensorFlow's encoder: ids, embeddings, mask, global mask.
    encoded = encoder(
        inputs["input_ids"],
        None,
        inputs["attention_mask"],
        inputs["global_attention_mask"],
        **options,
    )
    assert type(encoded) is keras_led.TFLEDEncoderBaseModelOutput
    assert list(encoded) == list(encoded.fields)
    for left, right in (
        (encoded.last_hidden_state, whole.encoder_last_hidden_state),
        (encoded.attentions[0], whole.encoder_attentions[0]),
        (encoded.global_attentions[0], whole.encoder_global_attentions[0]),
    ):
        np.testing.assert_array_equal(left, right)
    as_tuple = encoder(inputs["input_ids"], **options, return_dict=False)
    assert len(as_tuple) == 3
    again = model(
        encoder_outputs=encoded,
        attention_mask=inputs["attention_mask"],
        decoder_input_ids=inputs["decoder_input_ids"],
    )
    np.testing.assert_allclose(again.logits, whole.logits, atol=1e-6)
    with pytest.raises(ValueError, match="`encoder_hidden_states`"):
        decoder(inputs["decoder_input_ids"])
    first = decoder(
        inputs["decoder_input_ids"][:, :3],
        encoder_hidden_states=encoded.last_hidden_state,
        encoder_attention_mask=inputs["attention_mask"],
        use_cache=True,
    )
    rest = decoder(
        inputs["decoder_input_ids"][:, 3:],
        encoder_attention_mask=inputs["attention_mask"],
        past_key_values=first.past_key_values,
    )
    np.testing.assert_allclose(
        rest.last_hidden_state,
        whole.decoder_hidden_states[-1][:, 3:],
        atol=1e-5,
    )


def test_a_list_may_hold_flags(model):
    inputs = batch()
    names = list(inspect.signature(model.call).parameters)
    items = [inputs.get(name) for name in names]
    items[names.index("use_cache")] = False
    items[names.index("output_attentions")] = True
    found = model(items)
    assert "past_key_values" not in found
    assert "decoder_attentions" in found
    items[1] = True
    with pytest.raises(TypeError, match="a bool for `attention_mask`"):
        model(items)


def test_the_config_of_the_model_decides_what_is_left_open():
    model = fresh("TFLEDModel")
    model.config.output_hidden_states = True
    model.config.output_attentions = True
    model.config.use_cache = False
    found = model(batch("absent"))
    assert list(found) == [
        "last_hidden_state",
        "decoder_hidden_states",
        "decoder_attentions",
        "cross_attentions",
        "encoder_last_hidden_state",
        "encoder_hidden_states",
        "encoder_attentions",
        "encoder_global_attentions",
    ]
    assert found.encoder_global_attentions[0].shape == (2, 4, LENGTH, 0)
    model.config.return_dict = False
    assert len(model(batch("absent"))) == 7

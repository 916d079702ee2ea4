import io

import keras
import numpy as np
import pytest

import keras_led
from tests import peer
from tests.models.pairs import both_sides
from tests.models.pairs import pair
from tests.models.pairs import quick

LENGTH = 11
LOGITS = {
    "LEDModel": "last_hidden_state",
    "LEDForConditionalGeneration": "logits",
    "LEDForQuestionAnswering": "start_logits",
}


def fresh(name, **changes):
    """A model with weights of its own, none of them a constant."""
    model = getattr(keras_led, name)(
        keras_led.LEDConfig(**{**peer.TINY, **changes})
    )
    for variable in model.weights:
        value = peer.draw_weight(variable.path, variable.shape, seed=4)
        variable.assign(value)
    return model


def outputs(model, name):
    inputs = both_sides(LENGTH, "right", "mixed")
    return peer.to_numpy(quick(model, use_cache=False)(**inputs)[LOGITS[name]])


@pytest.mark.parametrize("name", LOGITS)
def test_keras_file_brings_back_the_model(name, tmp_path):
    model = fresh(name, attention_window=[4, 6], tie_word_embeddings=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.config == model.config
    assert [v.path for v in again.weights] == [v.path for v in model.weights]
    np.testing.assert_array_equal(outputs(again, name), outputs(model, name))


@pytest.mark.parametrize("tied", [True, False])
def test_weights_file_brings_back_the_weights(tied, tmp_path):
    name = "LEDForConditionalGeneration"
    model = fresh(name, tie_word_embeddings=tied)
    model.save_weights(tmp_path / "model.weights.h5")
    again = getattr(keras_led, name)(model.config)
    again.load_weights(tmp_path / "model.weights.h5")
    for left, right in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(left), keras.ops.convert_to_numpy(right)
        )


def test_classification_model_in_a_keras_file(tmp_path):
    name = "LEDForSequenceClassification"
    model = fresh(name, num_labels=3, problem_type="regression")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    ids = peer.token_ids(2, LENGTH)
    ids[:, -1] = 2
    np.testing.assert_array_equal(
        peer.to_numpy(again(ids).logits), peer.to_numpy(model(ids).logits)
    )
    assert again.config.problem_type == "regression"


def test_settings_survive_a_keras_file(tmp_path):
    model = keras_led.LEDModel(
        keras_led.LEDConfig(**peer.TINY),
        max_global_tokens=5,
        name="mine",
        dtype="mixed_bfloat16",
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.max_global_tokens == 5
    assert again.name == "mine"
    assert again.dtype_policy.name == "mixed_bfloat16"


def test_all_weights_exist_after_construction_with_the_agreed_paths():
    model = keras_led.LEDForConditionalGeneration(
        keras_led.LEDConfig(**peer.TINY)
    )
    found = {v.path: tuple(v.shape) for v in model.weights}
    start = "led_for_conditional_generation"
    for path, shape in {
        "led/shared/embeddings": (37, 24),
        "led/encoder/embed_positions/embeddings": (40, 24),
        "led/decoder/embed_positions/embeddings": (18, 24),
        "led/encoder/layernorm_embedding/gamma": (24,),
        "led/encoder/layers_1/self_attn/longformer_self_attn/"
        "key_global/kernel": (24, 24),
        "led/encoder/layers_0/self_attn/output/bias": (24,),
        "led/encoder/layers_0/fc1/kernel": (24, 20),
        "led/decoder/layers_1/fc2/kernel": (28, 24),
        "led/decoder/layers_0/encoder_attn/q_proj/kernel": (24, 24),
        "led/decoder/layers_0/encoder_attn_layer_norm/beta": (24,),
        "final_logits_bias": (1, 37),
    }.items():
        assert found[f"{start}/{path}"] == shape
    # PyTorch's 8 + 22 E + 26 D tensors: aliases of the table left out.
    assert len(found) == 8 + 22 * 2 + 26 * 2
    assert len(model.trainable_weights) == len(found) - 1


def test_the_callers_config_is_not_shared():
    config = keras_led.LEDConfig(**peer.TINY)
    model = keras_led.LEDModel(config)
    assert config.attention_window == 4
    model.resize_token_embeddings(50)
    assert config.vocab_size == 37


def test_summary_lists_every_parameter():
    model = pair("LEDForConditionalGeneration")[0]
    lines = []
    model.summary(print_fn=lambda line, **kwargs: lines.append(line))
    text = "\n".join(lines)
    assert "led" in text
    assert f"{model.count_params():,}" in text


def test_save_pretrained_is_read_by_the_peer(tmp_path):
    import transformers

    model = fresh("LEDForConditionalGeneration", attention_window=[4, 8])
    model.save_pretrained(tmp_path)
    log = io.StringIO()
    transformers.logging.set_verbosity_warning()
    other, info = transformers.LEDForConditionalGeneration.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(info.values()), (info, log.getvalue())
    inputs = both_sides(LENGTH, "right", "mixed")
    np.testing.assert_allclose(
        outputs(model, "LEDForConditionalGeneration"),
        peer.call_peer(other.eval(), **inputs).logits.numpy(),
        atol=peer.TOLERANCE,
    )

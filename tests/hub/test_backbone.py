import keras
import keras_hub
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led.hub import LEDBackbone
from keras_led.hub import hub_presets
from tests import peer
from tests.hub.conftest import SIZES
from tests.hub.conftest import assert_equal_weights

IDS = peer.token_ids(2, 9)
MASK = peer.padding_mask("right", 2, 9)
INPUTS = {
    "encoder_token_ids": IDS,
    "encoder_padding_mask": MASK,
    "decoder_token_ids": IDS[:, :5],
    "decoder_padding_mask": np.ones((2, 5), "int32"),
}
ARGUMENTS = {
    "vocabulary_size": 37,
    "num_layers": 1,
    "num_heads": 3,
    "hidden_dim": 24,
    "intermediate_dim": 20,
    "attention_window": 4,
    "max_encoder_sequence_length": 40,
    "max_decoder_sequence_length": 18,
}


@pytest.fixture(scope="module")
def backbone():
    return LEDBackbone.from_led_config(LEDConfig(**SIZES))


def test_the_arguments_of_keras_hub_make_the_config():
    backbone = LEDBackbone(**ARGUMENTS)
    config = backbone.led.config
    assert (config.encoder_layers, config.decoder_layers) == (1, 1)
    assert (config.encoder_ffn_dim, config.decoder_ffn_dim) == (20, 20)
    assert config.max_decoder_position_embeddings == 18
    found = backbone.get_config()
    assert {name: found[name] for name in ARGUMENTS} == ARGUMENTS
    assert found["led_config"] == {}


def test_every_field_of_a_real_config_survives(backbone):
    config = backbone.get_config()
    assert config["num_layers"] == 2
    assert config["led_config"]["decoder_layers"] == 1
    again = LEDBackbone.from_config(config)
    assert again.led.config.to_dict() == LEDConfig(**SIZES).to_dict()
    assert again.get_config() == config


def test_shapes_are_those_of_a_call(backbone):
    symbolic = backbone.output
    found = backbone(INPUTS)
    assert tuple(symbolic["encoder_sequence_output"].shape) == (None, None, 24)
    assert tuple(found["encoder_sequence_output"].shape) == (2, 9, 24)
    assert tuple(found["decoder_sequence_output"].shape) == (2, 5, 24)
    predicted = backbone.predict(INPUTS, verbose=0)
    for name, value in predicted.items():
        np.testing.assert_allclose(value, peer.to_numpy(found[name]), atol=1e-5)


def test_the_first_token_is_global_unless_a_mask_says_otherwise(backbone):
    def encoded(**more):
        output = backbone({**INPUTS, **more})
        return peer.to_numpy(output["encoder_sequence_output"])

    mask = np.zeros_like(IDS)
    mask[:, 0] = 1
    same = encoded(encoder_global_attention_mask=mask)
    np.testing.assert_array_equal(encoded(), same)
    other = encoded(encoder_global_attention_mask=1 - mask)
    assert np.abs(encoded() - other).max() > 1e-4


def test_inputs_are_checked_by_their_names(backbone):
    with pytest.raises(TypeError, match="'encoder_padding'.*Did you mean"):
        backbone({**INPUTS, "encoder_padding": MASK})
    fewer = {k: x for k, x in INPUTS.items() if k != "decoder_token_ids"}
    with pytest.raises(ValueError, match="decoder_token_ids"):
        backbone(fewer)


@pytest.mark.parametrize(("side", "limit"), [("encoder", 96), ("decoder", 20)])
def test_a_row_longer_than_the_table_is_refused(backbone, side, limit):
    long = np.full((2, limit + 1), 5, "int32")
    inputs = {
        **INPUTS,
        f"{side}_token_ids": long,
        f"{side}_padding_mask": np.ones_like(long),
    }
    with pytest.raises(
        ValueError, match=f"`{side}_token_ids`.*{limit} tokens.*{limit + 1}"
    ):
        backbone(inputs)


def test_a_preset_brings_back_every_bit(backbone, tmp_path):
    backbone.save_to_preset(tmp_path)
    for cls in (LEDBackbone, keras_hub.models.Backbone):
        again = cls.from_preset(str(tmp_path))
        assert type(again) is LEDBackbone
        assert_equal_weights(again, backbone)
    fresh = LEDBackbone.from_preset(tmp_path, load_weights=False)
    assert fresh.led.config == backbone.led.config


def test_a_hugging_face_folder_is_read_under_a_dtype(folder, model):
    backbone = LEDBackbone.from_preset(folder, dtype="mixed_bfloat16")
    assert backbone.dtype_policy.name == "mixed_bfloat16"
    assert backbone.get_config()["dtype"]["config"]["name"] == "mixed_bfloat16"
    assert_equal_weights(backbone, model)


def test_a_model_that_is_there_is_shared(model):
    backbone = LEDBackbone.from_led(model)
    assert backbone.led is model
    assert backbone.token_embedding is model.led.shared


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"model_type": "bart"}', "model_type='bart'"),
        (
            '{"registered_name": "keras_hub>BartBackbone", '
            '"class_name": "BartBackbone"}',
            "a KerasHub BartBackbone",
        ),
    ],
)
def test_a_preset_of_another_family_is_refused(content, found, tmp_path):
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=f"`preset` of.*{found}"):
        LEDBackbone.from_preset(tmp_path)


def test_a_handle_of_the_hub_is_asked_of_our_readers(monkeypatch, folder):
    asked = []

    def resolve(name, filenames, **options):
        asked.append(name)
        return folder / "config.json"

    monkeypatch.setattr(hub_presets, "resolve", resolve)
    found = hub_presets.find_transformers_config(LEDBackbone, "hf://me/led")
    assert found["model_type"] == "led"
    assert asked == [hub_presets.source_of("hf://me/led")] == ["me/led"]
    other = "kaggle://me/led/keras/small"  # KerasHub's affair
    assert hub_presets.find_transformers_config(LEDBackbone, other) is None
    assert len(asked) == 1


def test_a_preset_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="no/such/place"):
        LEDBackbone.from_preset("no/such/place")


def test_a_clone_has_weights_of_its_own(backbone):
    clone = keras.models.clone_model(backbone)
    clone.set_weights(backbone.get_weights())
    name = "decoder_sequence_output"
    np.testing.assert_allclose(
        peer.to_numpy(clone(INPUTS)[name]),
        peer.to_numpy(backbone(INPUTS)[name]),
        atol=1e-5,
    )


def test_layouts_are_those_of_the_model(backbone):
    mesh = keras.distribution.DeviceMesh((1,), ("model",), devices=["cpu:0"])
    layouts = backbone.get_layout_map(mesh)
    sharded = [
        weight.path
        for weight in backbone.weights
        if layouts[weight.path] is not None
    ]
    # All projections and feed-forward layers; tokens and positions.
    assert sum("self_attn" in path for path in sharded) == 2 * 13 + 7
    assert sum(path.endswith("embeddings") for path in sharded) == 3
    with pytest.raises(ValueError, match="`model_axis`"):
        backbone.get_layout_map(mesh, "batch")

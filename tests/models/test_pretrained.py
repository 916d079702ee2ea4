"""Saving a model: whole, in the dtype asked for, with card and settings."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from safetensors import safe_open

from keras_led import GenerationConfig
from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDForSequenceClassification
from keras_led import LEDModel


@pytest.fixture(scope="module")
def model():
    config = LEDConfig(
        vocab_size=37,
        d_model=12,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=3,
        encoder_ffn_dim=10,
        decoder_ffn_dim=14,
        attention_window=4,
        max_encoder_position_embeddings=20,
        max_decoder_position_embeddings=16,
    )
    return LEDForConditionalGeneration(config)


def read_shared(model):
    return ops.convert_to_numpy(
        ops.cast(model.led.shared.embeddings, "float32")
    )


def test_a_saved_folder_holds_weights_settings_and_card(model, tmp_path):
    folder = tmp_path / "my-led"
    model.save_pretrained(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
    ]
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["LEDForConditionalGeneration"]
    assert "# my-led" in (folder / "README.md").read_text()


def test_a_card_of_the_user_stays(model, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    model.save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_dtype_of_the_file(model, tmp_path):
    model.save_pretrained(tmp_path, dtype="float16")
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        kinds = {file.get_tensor(name).dtype.name for name in file.keys()}
    assert kinds == {"float16"}
    again = LEDForConditionalGeneration.from_pretrained(tmp_path)
    assert again.led.shared.embeddings.dtype == "float32"
    expected = read_shared(model).astype("float16").astype("float32")
    np.testing.assert_array_equal(read_shared(again), expected)


def test_dtype_of_the_model(model, tmp_path):
    model.save_pretrained(tmp_path)
    for dtype in ("float16", "bfloat16"):
        again = LEDForConditionalGeneration.from_pretrained(
            tmp_path, dtype=dtype
        )
        assert again.led.shared.embeddings.dtype == dtype
        np.testing.assert_allclose(
            read_shared(again), read_shared(model), atol=1e-2
        )


def test_a_failed_save_leaves_the_old_folder_whole(
    model, tmp_path, monkeypatch
):
    model.save_pretrained(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(settings, directory):
        raise OSError("No space left on device")

    monkeypatch.setattr(GenerationConfig, "save_pretrained", fail)
    changed = read_shared(model) + 1.0
    old = read_shared(model)
    model.led.shared.embeddings.assign(changed)
    with pytest.raises(OSError, match="No space left"):
        model.save_pretrained(tmp_path)
    model.led.shared.embeddings.assign(old)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_number_of_positions_is_an_error_unless_allowed(
    model, tmp_path
):
    model.save_pretrained(tmp_path)
    longer = {"max_encoder_position_embeddings": 24}
    with pytest.raises(ValueError, match=r"embed_positions.*24"):
        LEDForConditionalGeneration.from_pretrained(tmp_path, **longer)
    with pytest.warns(UserWarning, match="embed_positions"):
        again = LEDForConditionalGeneration.from_pretrained(
            tmp_path, ignore_mismatched_sizes=True, **longer
        )
    np.testing.assert_array_equal(read_shared(again), read_shared(model))


def test_what_a_checkpoint_lacks_starts_as_in_a_new_model(model, tmp_path):
    model.save_pretrained(tmp_path)
    longer = model.config.copy(max_encoder_position_embeddings=24)

    def values(make):
        keras.utils.set_random_seed(1)
        weights = {v.path.split("/", 1)[1]: v for v in make().weights}
        return {name: ops.convert_to_numpy(v) for name, v in weights.items()}

    new = values(lambda: LEDForSequenceClassification(longer))
    with pytest.warns(UserWarning, match="stay as they were initialized"):
        found = values(
            lambda: LEDForSequenceClassification.from_pretrained(
                tmp_path, config=longer, ignore_mismatched_sizes=True
            )
        )
    same = {x for x in new if np.array_equal(new[x], found[x]) and new[x].any()}
    assert {x for x in same if not x.endswith("gamma")} == {
        "led/encoder/embed_positions/embeddings",
        "classification_head/dense/kernel",
        "classification_head/out_proj/kernel",
    }


def test_the_bare_model_reads_a_model_with_a_head(model, tmp_path):
    model.save_pretrained(tmp_path)
    bare = LEDModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(bare.shared.embeddings), read_shared(model)
    )


def test_sample_weight_needs_a_compiled_loss(model):
    ids = np.full((2, 5), 4, dtype="int32")
    model.compile("sgd")
    with pytest.raises(
        ValueError, match="`sample_weight`.*do not reach the loss"
    ):
        model.fit({"input_ids": ids}, ids, sample_weight=np.ones(2), verbose=0)


@pytest.mark.parametrize("wanted", [True, False])
def test_gradient_checkpointing_in_a_config_is_switched(
    model, tmp_path, wanted
):
    model.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "gradient_checkpointing": wanted}))
    loaded = LEDForConditionalGeneration.from_pretrained(tmp_path)
    assert loaded.is_gradient_checkpointing is wanted
    assert "gradient_checkpointing" not in loaded.config.extras


def test_a_model_is_read_from_one_save(model, tmp_path, monkeypatch):
    first = LEDForConditionalGeneration(model.config.copy(d_model=24))
    first.generation_config.update(max_new_tokens=3)
    first.save_pretrained(tmp_path)
    read = LEDConfig.from_pretrained
    calls = []

    def save_after_reading(*arguments, **options):
        calls.append(read(*arguments, **options))
        if len(calls) == 1:
            model.save_pretrained(tmp_path)
        return calls[-1]

    monkeypatch.setattr(LEDConfig, "from_pretrained", save_after_reading)
    found = LEDForConditionalGeneration.from_pretrained(tmp_path)
    assert [config.d_model for config in calls] == [24, 12]
    assert found.generation_config.max_new_tokens is None
    np.testing.assert_array_equal(read_shared(found), read_shared(model))

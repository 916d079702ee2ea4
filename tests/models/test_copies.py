import copy
import pathlib
import pickle

import keras
import numpy as np
import pytest

import keras_led
from keras_led.models.adapters import enable_lora
from keras_led.models.freezing import freeze
from tests import peer
from tests.models.pairs import quick

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "keras_file"
NAMES = (
    "LEDModel",
    "LEDForConditionalGeneration",
    "LEDForSequenceClassification",
    "LEDForQuestionAnswering",
)
SMALL = {**peer.TINY, "encoder_layers": 1, "decoder_layers": 1}
IDS = peer.token_ids(2, 7)
IDS[:, -1] = 2


def fresh(name="LEDForConditionalGeneration", **changes):
    model = getattr(keras_led, name)(
        keras_led.LEDConfig(**{**SMALL, **changes})
    )
    draw(model)
    return model


def draw(model):
    for variable in model.weights:
        value = peer.draw_weight(variable.path, variable.shape, seed=4)
        variable.assign(value)


def quantize(model, mode="int8", kinds=(keras.layers.Dense,)):
    # Keras' own warns of each layer that has nothing to quantize.
    for layer in model._flatten_layers():
        if isinstance(layer, kinds):
            layer.quantize(mode)


def with_adapters(model):
    enable_lora(model, rank=2, alpha=6, targets=("query", "fc1"))
    draw(model)


def with_adapters_on_integers(model):
    quantize(model)
    enable_lora(model, rank=2)
    for weight in model.trainable_weights:
        weight.assign(peer.draw_weight(weight.path, weight.shape, seed=5))


CHANGES = {
    "nothing": lambda model: None,
    "adapters": with_adapters,
    "frozen layers": lambda model: freeze(model, "embeddings", 1),
    "frozen model": lambda model: setattr(model, "trainable", False),
    "one frozen weight": lambda model: setattr(
        model.led.encoder.layers[0].fc1.bias, "trainable", False
    ),
    "int8": quantize,
    "int8 tables": lambda model: quantize(
        model, kinds=(keras.layers.ReversibleEmbedding,)
    ),
    "adapters on int8": with_adapters_on_integers,
    "int4": lambda model: quantize(model, "int4"),
    "recomputed layers": lambda model: model.gradient_checkpointing_enable(),
    "recomputed encoder": lambda model: setattr(
        model.led.encoder, "gradient_checkpointing", True
    ),
}


def saved(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.saving.load_model(tmp_path / "model.keras")


def cloned(model, tmp_path):
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    return other


WAYS = {
    ".keras": saved,
    "clone_model": cloned,
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "deepcopy": lambda model, _: copy.deepcopy(model),
}


def state(model):
    """All that tells two models apart, but for the values of weights."""
    base = model.get_base_model()
    return {
        "config": model.config.to_dict(),
        "weights": [
            (v.path, tuple(v.shape), str(v.dtype), v.trainable)
            for v in model.weights
        ],
        "layers": [
            (x.name, x.trainable, x.quantization_mode)
            for x in model._flatten_layers()
        ],
        "trained": len(model.trainable_weights),
        "alpha": [
            x.lora_alpha
            for x in model._flatten_layers()
            if getattr(x, "lora_enabled", False)
        ],
        "checkpointing": (
            base.encoder.gradient_checkpointing,
            base.decoder.gradient_checkpointing,
        ),
    }


def assert_same(other, model):
    assert type(other) is type(model)
    assert state(other) == state(model)
    for left, right in zip(
        other.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("change", CHANGES)
def test_a_keras_file_brings_back_what_was_changed(change, tmp_path):
    # Without tied tables one of them is frozen from the start.
    tied = change in ("nothing", "adapters", "int8 tables")
    model = fresh(tie_word_embeddings=tied)
    CHANGES[change](model)
    assert_same(saved(model, tmp_path), model)


@pytest.mark.parametrize("name", NAMES)
def test_every_class_brings_back_adapters(name, tmp_path):
    model = fresh(name)
    with_adapters(model)
    assert_same(saved(model, tmp_path), model)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_copying_keeps_what_was_changed(way, tmp_path):
    model = fresh()
    with_adapters(model)
    model.gradient_checkpointing_enable()
    model.generation_config.update(num_beams=3, max_new_tokens=9)
    other = WAYS[way](model, tmp_path)
    assert_same(other, model)
    assert other.generation_config == model.generation_config
    other.generation_config.update(num_beams=2)
    assert model.generation_config.num_beams == 3


def test_a_copy_of_a_generation_config_never_set_follows_the_model(tmp_path):
    model = fresh(extras={"num_beams": 2})
    other = saved(model, tmp_path)
    assert other.generation_config == model.generation_config
    assert other.generation_config.num_beams == 2


def test_a_copy_of_integers_with_adapters_computes_the_same(tmp_path):
    model = fresh()
    with_adapters_on_integers(model)
    other = saved(model, tmp_path)
    found, expected = (
        peer.to_numpy(quick(x, use_cache=False)(input_ids=IDS).logits)
        for x in (other, model)
    )
    np.testing.assert_array_equal(found, expected)


def test_the_optimizer_of_adapters_goes_on(tmp_path):
    model = fresh()
    with_adapters(model)
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    model.fit({"input_ids": IDS, "labels": IDS[:, :4]}, verbose=0)
    other = saved(model, tmp_path)
    assert len(model.optimizer.variables) == 2 + 2 * len(
        model.trainable_weights
    )
    for left, right in zip(
        other.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(left), keras.ops.convert_to_numpy(right)
        )


def test_a_file_of_the_time_before_is_read():
    model = keras.saving.load_model(GOLDEN / "model.keras")
    with np.load(GOLDEN / "expected.npz") as expected:
        output = quick(model, use_cache=False)(
            input_ids=expected["input_ids"],
            decoder_input_ids=expected["decoder_input_ids"],
        )
        np.testing.assert_allclose(
            peer.to_numpy(output.logits), expected["logits"], atol=1e-5
        )
        momentum = keras.ops.convert_to_numpy(model.optimizer.variables[2])
        np.testing.assert_array_equal(momentum, expected["momentum"])
    assert model.max_global_tokens == 3
    assert model.generation_config.num_beams == 2
    shared = model.led.shared
    assert [x for x in model._flatten_layers() if not x.trainable] == [shared]


@pytest.mark.parametrize("where", ["shared", "embed_positions"])
def test_adapters_that_no_file_holds_are_refused(where, tmp_path):
    model = fresh()
    path = tmp_path / "model.keras"
    model.save(path)
    before = path.read_bytes()
    owner = model.led if where == "shared" else model.led.encoder
    getattr(owner, where).enable_lora(2)
    with pytest.raises(ValueError, match=f"projections.* Received: .*{where}"):
        model.save(path)
    assert path.read_bytes() == before


def test_a_config_with_a_foreign_layer_is_refused():
    config = fresh().get_config()
    config["changes"]["led/tower"] = {"trainable": False}
    with pytest.raises(ValueError, match="its own layers.*'led/tower'"):
        keras_led.LEDForConditionalGeneration.from_config(config)


@pytest.mark.parametrize(
    "changes",
    ["led", ["led"], {"": 3}, {"": {"adapters": 2}}, {"": {"quantization": 1}}],
)
def test_changes_of_another_form_are_refused(changes):
    config = {**fresh().get_config(), "changes": changes}
    with pytest.raises(ValueError, match="`changes` .*get_config"):
        keras_led.LEDForConditionalGeneration.from_config(config)


@pytest.mark.parametrize("content", [None, "led", {}, {"class_name": "led"}])
def test_a_model_of_unknown_sizes_is_not_made(content):
    config = {**fresh().get_config(), "config": content}
    with pytest.raises(ValueError, match="`config` .*all sizes"):
        keras_led.LEDForConditionalGeneration.from_config(config)


@pytest.mark.parametrize("options", [float("inf"), [1], "greedy"])
def test_generation_options_that_are_no_dict_are_refused(options):
    config = {**fresh().get_config(), "generation_config": options}
    with pytest.raises(ValueError, match="must be a dict of generation"):
        keras_led.LEDForConditionalGeneration.from_config(config)

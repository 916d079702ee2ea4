"""`model.quantize`: the modes that models offer, and those that they refuse."""

import keras
import numpy as np
import pytest

import keras_led
from keras_led.models.adapters import adapter_layers
from keras_led.models.adapters import enable_lora
from tests import peer
from tests.gradients import gradients_of_weights

IDS = peer.token_ids(2, 21)
WIDE = np.zeros_like(IDS)
WIDE[:, 0] = 1


def fresh():
    model = keras_led.LEDForConditionalGeneration(
        keras_led.LEDConfig(**peer.TINY), max_global_tokens=1
    )
    for variable in model.weights:
        value = peer.draw_weight(variable.path, variable.shape, seed=4)
        variable.assign(value)
    return model


def encode(model):
    found = model.get_encoder()(IDS, global_attention_mask=WIDE)
    return peer.to_numpy(found.last_hidden_state)


def generate(model):
    ids = model.generate(
        IDS, global_attention_mask=WIDE, max_new_tokens=5, num_beams=2
    )
    return peer.to_numpy(ids)


# Keras' own quantized table, on PyTorch.
@pytest.mark.filterwarnings("ignore:The use of `x.T`:UserWarning")
@pytest.mark.parametrize(("mode", "most"), [("int8", 0.1), ("int4", 0.5)])
def test_a_quantized_model_generates_and_is_saved(mode, most, tmp_path):
    model = fresh()
    exact = encode(model)
    model.quantize(mode)
    found = encode(model)
    assert 0 < np.abs(found - exact).mean() < most * np.abs(exact).mean()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(encode(again), found, atol=1e-5)
    np.testing.assert_array_equal(generate(again), generate(model))


# Keras' own quantized table, on PyTorch.
@pytest.mark.filterwarnings("ignore:The use of `x.T`:UserWarning")
def test_adapters_of_a_quantized_model_have_the_gradients_of_floats():
    inputs = {"input_ids": IDS, "labels": IDS[:, :9]}
    pairs = []
    for mode in (None, "int8"):
        model = fresh()
        enable_lora(model, 2)
        keras.utils.set_random_seed(1)
        for layer in adapter_layers(model).values():
            shape = layer.lora_kernel_a.shape
            layer.lora_kernel_a.assign(keras.random.normal(shape))
        if mode is not None:
            model.quantize(mode)
        found = gradients_of_weights(model, inputs)
        parts = [found[path] for path in sorted(found) if "kernel_b" in path]
        pairs.append(np.concatenate([x.ravel() for x in parts]))
    exact, rounded = pairs
    assert np.abs(exact).max() > 1e-4
    gap = np.linalg.norm(rounded - exact)
    assert 0 < gap < 0.3 * np.linalg.norm(exact)


@pytest.mark.parametrize("name", ["GPTQConfig", "AWQConfig"])
def test_modes_that_calibrate_are_refused_before_anything_changes(name):
    model = fresh()
    config = getattr(keras.quantizers, name)(
        dataset=["a"], tokenizer=lambda text: [1]
    )
    with pytest.raises(ValueError, match="`mode` must be .*int4.*Received"):
        model.quantize(config=config)
    assert {str(x.dtype) for x in model.weights} == {"float32"}
    assert all(x.quantization_mode is None for x in model._flatten_layers())

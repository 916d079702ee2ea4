import keras
import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.layers.dense_layer import Dense

INPUTS = np.random.default_rng(0).standard_normal((2, 5, 8)).astype("float32")


def layer_pair(**options):
    """Ours and Keras' layer with the same weights."""
    pair = Dense(3, **options), keras.layers.Dense(3, **options)
    for layer in pair:
        layer.build((None, None, 8))
    for ours, theirs in zip(pair[0].weights, pair[1].weights, strict=True):
        value = np.random.default_rng(1).standard_normal(ours.shape)
        ours.assign(value)
        theirs.assign(value)
    return pair


def numbers(layer):
    return ops.convert_to_numpy(ops.cast(layer(INPUTS), "float32"))


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "bfloat16"])
def test_equals_the_layer_of_keras(dtype):
    ours, theirs = layer_pair(dtype=dtype)
    atol = 1e-6 if dtype == "float32" else 0.05
    np.testing.assert_allclose(numbers(ours), numbers(theirs), atol=atol)
    assert ours(INPUTS).dtype == theirs(INPUTS).dtype


def test_adapters_work_as_in_keras():
    ours, theirs = layer_pair()
    for layer in (ours, theirs):
        layer.enable_lora(2)
        for weight in (layer.lora_kernel_a, layer.lora_kernel_b):
            random = np.random.default_rng(weight.shape[0])
            weight.assign(random.standard_normal(weight.shape))
    np.testing.assert_allclose(numbers(ours), numbers(theirs), atol=1e-5)


def test_quantizes_as_in_keras():
    ours, theirs = layer_pair()
    exact = numbers(ours)
    for layer in (ours, theirs):
        layer.quantize("int8")
    np.testing.assert_allclose(numbers(ours), numbers(theirs), atol=1e-5)
    assert 0 < np.abs(numbers(ours) - exact).max() < 0.2


def test_gradients_pass_int8_as_in_keras():
    """A layer before, and adapters, train through quantized weights."""
    found = []
    for layer in layer_pair():
        layer.quantize("int8")
        layer.enable_lora(2)
        for weight in (layer.lora_kernel_a, layer.lora_kernel_b):
            random = np.random.default_rng(weight.shape[0])
            weight.assign(random.standard_normal(weight.shape))
        first = keras.layers.Dense(8, kernel_initializer="identity")
        model = keras.Sequential([keras.Input((5, 8)), first, layer])
        model.compile(keras.optimizers.SGD(0.1), loss="mse")
        target = np.ones((2, 5, 3), "float32")
        model.fit(INPUTS, target, epochs=2, verbose=0)
        found.append([np.array(w) for w in model.trainable_weights])
    assert len(found[0]) == 5
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 200])
def test_int8_sums_do_not_overflow(rows):
    inputs = np.full((rows, 3072), 127, "float32")
    kernel = ops.convert_to_tensor(np.full((3072, 16), -127, "int8"))
    product = backend.int8_product(ops.convert_to_tensor(inputs), kernel)
    assert product.dtype == ops.convert_to_tensor(inputs).dtype
    np.testing.assert_allclose(
        ops.convert_to_numpy(product), -(127**2) * 3072, rtol=1e-4
    )
    half = ops.cast(inputs, "float16")
    assert backend.int8_product(half, kernel).dtype == half.dtype

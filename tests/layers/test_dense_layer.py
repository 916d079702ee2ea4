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


def numbers(layer, inputs=INPUTS):
    return ops.convert_to_numpy(ops.cast(layer(inputs), "float32"))


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


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_row_of_zeros_stays_one_in_int8(dtype):
    layer = Dense(3, dtype=dtype)
    layer.build((None, 8))
    layer.quantize("int8")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(ops.cast(layer(INPUTS * 0), "float32")), 0
    )


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("rows", [1, 200])
def test_the_largest_int8_sums_do_not_overflow(rows, compiled):
    minus_one = keras.initializers.Constant(-1)
    layer = Dense(16, use_bias=False, kernel_initializer=minus_one)
    layer.build((None, 3072))
    layer.quantize("int8")
    run = backend.jit(lambda x: layer(x), layer) if compiled else layer
    inputs = ops.ones((rows, 3072))
    found = ops.convert_to_numpy(run(inputs))
    np.testing.assert_allclose(found, -3072, rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 5, 8), (7, 8)])
def test_compiled_int8_is_as_in_keras(shape):
    ours, theirs = layer_pair()
    for layer in (ours, theirs):
        layer.quantize("int8")
    inputs = np.random.default_rng(3).standard_normal(shape).astype("float32")
    run = backend.jit(lambda x: ours(x), ours)
    found = ops.convert_to_numpy(run(ops.convert_to_tensor(inputs)))
    np.testing.assert_allclose(found, numbers(theirs, inputs), atol=1e-5)


def test_the_matrix_of_an_int8_layer_is_what_it_multiplies_by():
    layer, _ = layer_pair(use_bias=False)
    exact = ops.convert_to_numpy(layer.matrix())
    layer.quantize("int8")
    layer.enable_lora(2)
    for weight in (layer.lora_kernel_a, layer.lora_kernel_b):
        random = np.random.default_rng(weight.shape[0])
        weight.assign(random.standard_normal(weight.shape))
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.matrix()),
        numbers(layer, np.eye(8, dtype="float32")),
        atol=1e-5,
    )
    assert np.abs(ops.convert_to_numpy(layer.matrix()) - exact).max() > 0.1

import numpy as np
import pytest
from keras import ops

from keras_led import backend
from keras_led.layers.dense import Dense
from keras_led.layers.packed_weights import pack_weights
from keras_led.layers.packed_weights import packed_kernel
from keras_led.layers.packed_weights import packed_weights

INPUTS = np.random.default_rng(0).standard_normal((2, 1, 8)).astype("float32")


@pytest.fixture(autouse=True)
def chunks_of_four(monkeypatch):
    """On all backends, whether they gain by it or not."""
    monkeypatch.setattr(backend, "columns_of_chunk", lambda: 4)


def make(dtype="float32"):
    layer = Dense(10, dtype=dtype)
    layer.build((None, None, 8))
    layer.bias.assign(np.arange(10, dtype="float32"))
    return layer


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "bfloat16"])
@pytest.mark.parametrize("adapted", [True, False])
def test_a_packed_layer_gives_the_same(dtype, adapted):
    layer = make(dtype)
    if adapted:
        layer.enable_lora(2)
        layer.lora_kernel_b.assign(np.ones(layer.lora_kernel_b.shape))
    expected = layer(INPUTS)
    tensors = pack_weights([layer], rows=2)
    layer.bias.assign_add(np.ones(10))  # read as it is
    for kernel in (layer._kernel, *layer.trainable_weights):
        kernel.assign(np.zeros(kernel.shape))  # not read again
    layer.bias.assign(np.arange(10, dtype="float32"))
    with packed_weights([layer], tensors):
        found = layer(INPUTS)
        many = layer(np.repeat(INPUTS, 20, axis=0))
    assert found.dtype == expected.dtype
    atol = 1e-6 if dtype == "float32" else 0.05
    np.testing.assert_allclose(numbers(found), numbers(expected), atol=atol)
    # Many rows, and calls outside, read the weights of the layer.
    np.testing.assert_array_equal(numbers(many)[0], numbers(layer(INPUTS))[0])
    assert np.abs(numbers(many)[0] - numbers(found)[0]).max() > 0.1


def test_leaves_quantized_layers_alone():
    plain, quantized = make(), make()
    quantized.quantize("int8")
    expected = numbers(plain(INPUTS)), numbers(quantized(INPUTS))
    tensors = pack_weights([quantized, plain], rows=2)
    assert len(tensors) == 1
    with packed_weights([quantized, plain], tensors):
        np.testing.assert_allclose(numbers(plain(INPUTS)), expected[0], 1e-5)
        np.testing.assert_array_equal(numbers(quantized(INPUTS)), expected[1])


@pytest.mark.parametrize(("rows", "chunk"), [(17, 4), (None, 4), (2, None)])
def test_packs_nothing_where_nothing_is_gained(rows, chunk, monkeypatch):
    monkeypatch.setattr(backend, "columns_of_chunk", lambda: chunk)
    assert pack_weights([make()], rows) == ()
    layer = make()
    with packed_weights([layer], ()):
        assert packed_kernel(layer) is None


def test_leaves_weights_alone_beside_a_longer_document():
    layers = [make(), make()]  # 160 numbers
    tokens = [(ops.zeros((1, size)), ops.zeros((1, 60))) for size in (100, 101)]
    assert len(pack_weights(layers, rows=2, document=tokens[:1])) == 2
    assert pack_weights(layers, rows=2, document=tokens[1:]) == ()

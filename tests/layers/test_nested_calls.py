"""Which calls of inner layers skip what Keras does around a call."""

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDModel
from keras_led import backend
from keras_led.layers.nested_calls import InnerLayer
from keras_led.layers.nested_calls import OuterLayer

WIDTH = 6


class Inner(InnerLayer, keras.layers.Dense):
    """Counts the calls that Keras makes."""

    def __init__(self, **options):
        super().__init__(WIDTH, **options)
        self.calls_of_keras = 0

    def _open_name_scope(self):
        self.calls_of_keras += 1
        return super()._open_name_scope()


class Outer(OuterLayer):
    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def build(self, shape):
        self.inner.build(shape)
        self.inner.calls_of_keras = 0

    def call(self, x):
        return self.inner(x)


def calls(inner, within=True, **options):
    x = np.ones((2, WIDTH), "float32")
    outer = Outer(inner, **options)
    outer.build((2, WIDTH))
    return (outer if within else inner)(x), inner.calls_of_keras


def test_a_layer_within_another_is_called_at_once():
    _, found = calls(Inner())
    assert (found == 0) == backend.LAYER_CALLS_ARE_SLOW
    output, found = calls(Inner(dtype="mixed_bfloat16"), dtype="mixed_bfloat16")
    assert (found == 0) == backend.LAYER_CALLS_ARE_SLOW
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"


def test_keras_calls_where_it_has_something_to_do():
    assert calls(Inner(), within=False)[1]
    output, found = calls(Inner(dtype="mixed_bfloat16"))
    assert found
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    output, found = calls(Inner(activity_regularizer="l2"))
    assert found
    inner = Inner()
    inner.build((2, WIDTH))
    inner.quantize("int8", type_check=False)
    inner.build = lambda shape: None
    assert calls(inner)[1]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_model_is_the_same_either_way(dtype, monkeypatch):
    keras.utils.set_random_seed(0)
    config = LEDConfig(
        vocab_size=30,
        d_model=8,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=12,
        decoder_ffn_dim=12,
        attention_window=4,
        max_encoder_position_embeddings=16,
        max_decoder_position_embeddings=16,
    )
    model = LEDModel(config, dtype=dtype)
    ids = np.arange(5, 15)[None]

    def output():
        found = model(input_ids=ids).last_hidden_state
        return keras.ops.convert_to_numpy(keras.ops.cast(found, "float32"))

    expected = output()
    monkeypatch.setattr(
        backend, "LAYER_CALLS_ARE_SLOW", not backend.LAYER_CALLS_ARE_SLOW
    )
    np.testing.assert_array_equal(output(), expected)

import keras
import numpy as np
import pytest
from keras import ops

from keras_led.layers.encoder_layer import EncoderLayer


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="no pieces without gradients"
)
def test_noise_within_the_block_is_the_same_without_gradients(monkeypatch):
    import torch

    from keras_led.backend.torch import products

    monkeypatch.setattr(products, "MAPPED_ROWS", 2)
    layer = EncoderLayer(
        attention_window=2,
        d_model=8,
        num_heads=2,
        ffn_dim=16,
        dropout=0.0,
        activation_dropout=0.5,
    )
    layer.build()
    x = np.random.default_rng(0).standard_normal((1, 6, 8)).astype("float32")
    x, seed = ops.convert_to_tensor(x), ops.convert_to_tensor([1, 2], "int32")
    expected = ops.convert_to_numpy(layer.feed_forward(x, seed))
    with torch.no_grad():
        found = ops.convert_to_numpy(layer.feed_forward(x, seed))
    np.testing.assert_array_equal(found, expected)

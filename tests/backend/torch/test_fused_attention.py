"""PyTorch's kernel for few queries and many keys, beside products."""

import keras
import numpy as np
import pytest

from keras_led import LEDForConditionalGeneration
from keras_led.attention.dense import dot_product_attention
from tests import peer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch has the kernel"
)
torch = pytest.importorskip("torch")


def kernels():
    from keras_led.backend.torch import attention

    return attention


@pytest.mark.parametrize("kind", ["none", "keys", "no keys at all", "pairs"])
def test_context_is_that_of_products(kind, monkeypatch):
    generator = np.random.default_rng(3)
    query, key, value = (
        torch.tensor(generator.normal(size=(2, 3, n, 8)), dtype=torch.float32)
        for n in (4, 50, 50)
    )
    mask = generator.random((2, 1, 4, 50)) < 0.7
    mask = mask if kind == "pairs" else mask[:, :, :1]
    if kind == "no keys at all":
        mask[0] = False
    mask = None if kind == "none" else torch.tensor(mask)
    with torch.no_grad():
        expected, _ = dot_product_attention(query, key, value, mask)
        monkeypatch.setattr(kernels(), "MANY_KEYS", 50)
        assert kernels().fused_attention(query, value) is not None
        found, _ = dot_product_attention(query, key, value, mask)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    assert kernels().fused_attention(query, value) is None  # takes a gradient


@pytest.mark.parametrize("beams", [1, 3])
def test_tokens_are_those_of_products(beams, monkeypatch):
    model = LEDForConditionalGeneration.from_pretrained("led-tiny")
    ids = peer.token_ids(2, 70)
    options = {
        "attention_mask": peer.padding_mask("right", 2, 70),
        "global_attention_mask": np.eye(1, 70, dtype="int32").repeat(2, 0),
        "num_beams": beams,
        "max_new_tokens": 12,
    }
    # The last calls replay a step that was recorded.
    expected = [model.generate(ids, **options) for _ in range(3)]
    monkeypatch.setattr(kernels(), "MANY_KEYS", 8)
    other = LEDForConditionalGeneration.from_pretrained("led-tiny")
    for one in expected:
        found = other.generate(ids, **options)
        np.testing.assert_array_equal(found, one)
    assert len(set(np.ravel(one))) > 4

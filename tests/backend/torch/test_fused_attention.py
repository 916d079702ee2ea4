"""PyTorch's kernel that holds no scores, beside products."""

import keras
import numpy as np
import pytest

from keras_led import LEDForConditionalGeneration
from keras_led.attention import dense
from keras_led.attention.dense import dot_product_attention
from tests import peer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="PyTorch has the kernel"
)
torch = pytest.importorskip("torch")


def kernels():
    from keras_led.backend.torch import attention

    return attention


def operands_and_mask(kind):
    generator = np.random.default_rng(3)
    operands = [
        torch.tensor(generator.normal(size=(2, 3, n, 8)), dtype=torch.float32)
        for n in (4, 50, 50)
    ]
    mask = generator.random((2, 1, 4, 50)) < 0.7
    mask = mask if kind == "pairs" else mask[:, :, :1]
    if kind == "no keys at all":
        mask[0] = False
    return operands, None if kind == "none" else torch.tensor(mask)


KINDS = pytest.mark.parametrize(
    "kind", ["none", "keys", "no keys at all", "pairs"]
)


@KINDS
def test_context_is_that_of_products(kind, monkeypatch):
    (query, key, value), mask = operands_and_mask(kind)
    assert kernels().fused_attention(query, value) is None
    expected, _ = dot_product_attention(query, key, value, mask)
    monkeypatch.setattr(kernels(), "MANY_SCORES", 4 * 50)
    assert kernels().fused_attention(query, value) is not None
    found, _ = dot_product_attention(query, key, value, mask)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


@KINDS
def test_gradients_are_those_of_products(kind, monkeypatch):
    operands, mask = operands_and_mask(kind)
    for x in operands:
        x.requires_grad_()

    def gradients():
        # A step of training has a seed, whatever the rate.
        seed = torch.tensor([3, 4])
        context, _ = dot_product_attention(*operands, mask, 0.0, seed)
        return torch.autograd.grad(context.square().sum(), operands)

    expected = gradients()
    monkeypatch.setattr(kernels(), "MANY_DERIVED_SCORES", 4 * 50)
    assert kernels().fused_attention(operands[0], operands[2]) is not None
    monkeypatch.setattr(dense, "_attend", None)  # is not called
    found = gradients()
    if kind == "no keys at all":  # equal weights, whatever query and key are
        assert not any(x[0].any() for x in found[:2])
        expected = [x[1:] for x in expected[:2]] + [*expected[2:]]
        found = [x[1:] for x in found[:2]] + [*found[2:]]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-5)
    with torch.no_grad():
        assert kernels().fused_attention(operands[0], operands[2]) is None


def test_weights_dropout_and_other_dtypes_take_products():
    x = torch.ones(1, 1, 2**8, 8, requires_grad=True)
    assert kernels().fused_attention(x, x) is not None
    assert kernels().fused_attention(x, x.bfloat16()) is None
    _, weights = dot_product_attention(x, x, x, return_weights=True)
    assert weights.shape == (1, 1, 2**8, 2**8)
    seed = torch.tensor([3, 4])
    context, _ = dot_product_attention(x, x, x, rate=0.5, seed=seed)
    assert context.std() > 0  # some are dropped: rows no longer are equal


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
    monkeypatch.setattr(kernels(), "MANY_SCORES", 8)
    other = LEDForConditionalGeneration.from_pretrained("led-tiny")
    for one in expected:
        found = other.generate(ids, **options)
        np.testing.assert_array_equal(found, one)
    assert len(set(np.ravel(one))) > 4

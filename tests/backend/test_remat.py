"""Recomputing in the backward pass: the same gradients from less memory."""

import keras
import numpy as np
import pytest

from keras_led import backend

if keras.backend.backend() != "jax":
    pytest.skip("other backends leave it to Keras", allow_module_level=True)

jax = pytest.importorskip("jax")
jnp = jax.numpy

DEPTH, ROWS, DIM, WIDE = 6, 256, 16, 512


def loss_of(wrap):
    """A function of kernels and inputs, each layer run through `wrap`."""

    def loss(kernels, x):
        for first, second in kernels:

            def layer(x, first=first, second=second):
                return x + jnp.tanh(jnp.sin(x @ first)) @ second

            x = wrap(layer)(x)
        return jnp.sum(x**2)

    return loss


@pytest.fixture
def operands():
    random = np.random.default_rng(0)

    def draw(*shape):
        return jnp.asarray(random.standard_normal(shape) * 0.1, "float32")

    kernels = [(draw(DIM, WIDE), draw(WIDE, DIM)) for _ in range(DEPTH)]
    return kernels, draw(ROWS, DIM)


def test_gradients_of_inputs_and_of_what_is_read_are_the_same(operands):
    found, expected = (
        jax.jit(jax.grad(loss_of(wrap), argnums=(0, 1)))(*operands)
        for wrap in (backend.remat, lambda function: function)
    )
    for one, other in zip(
        jax.tree.leaves(found), jax.tree.leaves(expected), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)


def test_no_layer_keeps_what_it_can_compute_again(operands):
    sizes = []
    for wrap in (backend.remat, lambda function: function):
        step = jax.jit(jax.grad(loss_of(wrap))).lower(*operands).compile()
        sizes.append(step.memory_analysis().temp_size_in_bytes)
    # One layer's inner numbers, and a few more of that size, but not all.
    assert sizes[0] < 0.6 * sizes[1]


def test_a_nan_stays_a_nan(operands):
    kernels, x = operands
    gradients = jax.grad(loss_of(backend.remat))(
        kernels, x.at[0, 0].set(np.nan)
    )
    assert all(np.isnan(g).any() for g in jax.tree.leaves(gradients))

"""An optimizer that goes over its variables once does what Keras' does."""

import contextlib

import keras
import numpy as np
import pytest

from keras_led import backend

optimizers = keras.optimizers
SHAPES = [(30, 20), (7, 1), (5, 9)]
STEPS = 4

pytestmark = pytest.mark.skipif(
    backend.name == "jax", reason="XLA compiles the whole step"
)


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    """TensorFlow compiles the update of few weights, too."""
    if backend.name == "tensorflow":
        from keras_led.backend.tensorflow import optimizers as compiled

        monkeypatch.setattr(compiled, "FEWEST_WEIGHTS", 1)


def trained(make, enter, steps=STEPS):
    """Weights and state of an optimizer after some steps.

    Args:
        make: callable that returns an optimizer.
        enter: callable from the optimizer to a context manager.
        steps: int.
    """
    generator = np.random.default_rng(3)
    weights = [
        keras.Variable(generator.normal(size=shape).astype("float32"))
        for shape in SHAPES
    ]
    optimizer = make()
    optimizer.build(weights)

    def apply(gradients):
        with enter(optimizer):
            optimizer.apply(gradients, weights)

    if backend.name == "tensorflow":
        import tensorflow as tf

        apply = tf.function(apply, autograph=False)
    for _ in range(steps):
        # Gradients of PyTorch need not lie in memory row by row.
        gradients = [generator.normal(size=shape[::-1]) for shape in SHAPES]
        gradients = [keras.ops.cast(x, "float32") for x in gradients]
        apply([keras.ops.transpose(x) for x in gradients])
    state = [*weights, *optimizer.variables]
    return [keras.ops.convert_to_numpy(x) for x in state]


OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(1e-2),
    "weight_decay": lambda: optimizers.AdamW(1e-2, weight_decay=0.1),
    "amsgrad": lambda: optimizers.AdamW(1e-2, amsgrad=True),
    "clipped": lambda: optimizers.Adam(1e-2, global_clipnorm=0.5),
    "accumulated": lambda: optimizers.Adam(1e-2, gradient_accumulation_steps=3),
    "schedule": lambda: optimizers.Adam(
        optimizers.schedules.CosineDecay(1e-2, 10)
    ),
    "averaged": lambda: optimizers.Adam(
        1e-2, use_ema=True, ema_overwrite_frequency=2
    ),
    "scaled": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(1e-2)),
    "sgd": lambda: optimizers.SGD(1e-2, momentum=0.9),
    "adafactor": lambda: optimizers.Adafactor(1e-2),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_keras(name):
    expected = trained(OPTIMIZERS[name], lambda _: contextlib.nullcontext())
    found = trained(OPTIMIZERS[name], backend.updated_at_once)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)


class OwnAdam(optimizers.Adam):
    """Known to nobody, like the code of a user."""


@pytest.mark.parametrize("kind", [optimizers.Adam, OwnAdam])
def test_only_known_code_is_replaced(kind):
    optimizer = kind(1e-2)
    seen = set()

    def enter(optimizer):
        block = backend.updated_at_once(optimizer)
        with block:
            seen.update(vars(optimizer).keys())
        return backend.updated_at_once(optimizer)

    trained(lambda: optimizer, enter, steps=1)
    names = {"_backend_apply_gradients", "_parallel_update_step"}
    assert bool(seen & names) == (kind is optimizers.Adam)
    assert not vars(optimizer).keys() & names


def test_a_step_without_an_optimizer_has_nothing_to_replace():
    def step():
        with backend.updated_at_once(None):
            return True

    if backend.name == "tensorflow":
        import tensorflow as tf

        step = tf.function(step, autograph=False)
    assert step()


@pytest.mark.skipif(backend.name != "torch", reason="asks for PyTorch's kernel")
def test_one_kernel_of_pytorch_updates_all(monkeypatch):
    import torch

    calls = []
    kernel = torch._fused_adam_

    def counted(*args, **kwargs):
        calls.append(len(args[0]))
        return kernel(*args, **kwargs)

    monkeypatch.setattr(torch, "_fused_adam_", counted)
    trained(OPTIMIZERS["adam"], backend.updated_at_once)
    assert calls == [len(SHAPES)] * STEPS

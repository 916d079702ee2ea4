"""Optimizers, one loop of XLA for each variable."""

import contextlib
import functools
import math
from typing import Any

import keras
import tensorflow as tf

from keras_led.backend import optimizer_methods

# XLA takes seconds, which few weights do not give back.
FEWEST_WEIGHTS = 2**23


def updated_at_once(optimizer: Any) -> contextlib.AbstractContextManager[None]:
    optimizer = optimizer_methods.inner_optimizer(optimizer)
    if not _may_be_compiled(optimizer):
        return contextlib.nullcontext()
    apply = optimizer._backend_apply_gradients
    return optimizer_methods.replaced(
        optimizer,
        "_backend_apply_gradients",
        functools.partial(_apply_compiled, apply),
    )


def _may_be_compiled(optimizer):
    """Whether the code of the optimizer is a graph on one CPU."""
    if tf.executing_eagerly() or tf.config.list_logical_devices("GPU"):
        return False
    if tf.distribute.has_strategy() or not optimizer_methods.is_known(
        optimizer, "apply", "update_step"
    ):
        return False
    rate = optimizer._learning_rate
    return isinstance(rate, keras.Variable) or optimizer_methods.is_known(rate)


def _apply_compiled(apply, gradients, variables):
    """Does `apply(gradients, variables)`, by XLA where it is worth it."""
    weights = sum(math.prod(variable.shape) for variable in variables)
    if weights < FEWEST_WEIGHTS:
        return apply(gradients, variables)
    # Those of tables are lists of rows.
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    compiled = tf.function(
        lambda gradients: apply(gradients, variables),
        autograph=False,
        jit_compile=True,
    )
    return compiled(dense)

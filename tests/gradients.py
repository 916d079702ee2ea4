"""Compiled calls and gradients of functions of tensors, on any backend."""

import types

import keras

from keras_led import backend

NO_MODEL = types.SimpleNamespace(variables=[])


def compiled(function):
    """`function` of tensors compiled once for each set of shapes."""
    return backend.jit(function, NO_MODEL)


def gradients(function, *arrays):
    """Gradients of a scalar function with respect to all its arguments."""
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        found = tape.gradient(value, tensors)
    elif keras.backend.backend() == "jax":
        import jax

        wanted = tuple(range(len(tensors)))
        found = jax.jit(jax.grad(function, argnums=wanted))(*tensors)
    else:
        import torch

        tensors = [tensor.detach().requires_grad_() for tensor in tensors]
        found = torch.autograd.grad(function(*tensors), tensors)
    return [keras.ops.convert_to_numpy(gradient) for gradient in found]

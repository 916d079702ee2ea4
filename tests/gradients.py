"""Compiled calls and gradients of functions of tensors, on any backend."""

import functools
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


@functools.cache
def _jax_gradients(model, names, options):
    import jax

    def loss_of(values, others, inputs):
        output, _ = model.stateless_call(
            values,
            others,
            **dict(zip(names, inputs, strict=True)),
            **dict(options),
        )
        return output.loss

    return jax.jit(jax.grad(loss_of))


def gradients_of_weights(model, inputs, **options):
    """Gradients of a model's own loss, by path of the trainable weight."""
    variables = model.trainable_variables
    inputs = {
        name: keras.ops.convert_to_tensor(value)
        for name, value in inputs.items()
        if value is not None
    }
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = model(**inputs, **options).loss
        found = tape.gradient(
            loss,
            [variable.value for variable in variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        found = [tf.convert_to_tensor(gradient) for gradient in found]
    elif keras.backend.backend() == "jax":
        frozen = tuple(sorted(options.items()))
        found = _jax_gradients(model, tuple(inputs), frozen)(
            [variable.value for variable in variables],
            [variable.value for variable in model.non_trainable_variables],
            list(inputs.values()),
        )
    else:
        import torch

        values = [variable.value for variable in variables]
        loss = model(**inputs, **options).loss
        found = torch.autograd.grad(
            loss, values, allow_unused=True, materialize_grads=True
        )
    return {
        variable.path: keras.ops.convert_to_numpy(gradient)
        for variable, gradient in zip(variables, found, strict=True)
    }

"""The JAX side of `keras_led.backend`."""

import functools
import math
import random

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import ops

from keras_led.backend import optrees
from keras_led.backend.blocks import ON_ACCELERATOR
from keras_led.backend.blocks import ON_CPU

# What `jit_compile="auto"` means for `compile`.
JIT_BY_DEFAULT = True

# Whether `compile` takes `jit_compile=True`.
CAN_JIT = True

# Whether scores of a few queries are taken as `key @ query^T`: XLA copies all
# keys for `query @ key^T` (measured on a CPU, 4 queries, 4,096 keys: 1.8 ms a
# layer against 0.7 ms).
KEYS_FIRST = True

# Whether a training step for which `fit` finds no more data changes variables.
CHANGES_WITHOUT_DATA = False


def is_concrete(tensor):
    """Whether the values of `tensor` can be read now, outside a trace.

    Inside `jax.jit` no value can, not even of an array from outside: the
    result of any operation on it is traced.
    """
    if isinstance(tensor, (jax.core.Tracer, keras.KerasTensor)):
        return False
    result = jax.numpy.zeros((), "int32") + 1
    return not isinstance(result, jax.core.Tracer)


def set_random_seed(seed):
    """Seeds the generators of Python, which seeds those of Keras, and numpy.

    `keras.utils.set_random_seed` would import TensorFlow, where installed.
    """
    random.seed(seed)
    np.random.seed(seed)


def random_state():
    """Arrays of the random state that Keras' seeds do not hold: none here."""
    return []


def set_random_state(arrays):
    """Brings back what `random_state` gave."""


def replica():
    """Index of the replica that runs this code, or `None` where none does.

    A program of JAX's is one for all devices: it sees the whole batch.
    """
    return None


def mean_over_replicas(x):
    """Mean of a float tensor of each replica's; here `x`, see `replica`."""
    return x


def share_of_sum(loss):
    """What a replica hands on of its `loss`: all of it.

    A loss is that of the whole batch, see `replica`.
    """
    return loss


def transpose(x, axes):
    """`ops.transpose`, also fast for small tensors."""
    return ops.transpose(x, axes)


def contiguous(x):
    """`x`: a tensor lies in memory in the order of its axes."""
    return x


def fold_in(seed, data):
    """Derives a new seed from `seed` and the int `data`; both shape `(2,)`."""
    return jax.random.fold_in(seed, data)


def uniform(seed, shape):
    """Draws float32 numbers from `[0, 1)`; the same `seed` gives the same.

    By XLA's own generator: JAX's default one is unrolled into every kernel
    that reads the numbers, and a training step of 1 + 1 layers took 32 s to
    compile with it, 11 s with this.
    """
    return jax.random.uniform(_cheap_key(seed), shape)


def keep_at_random(seed, shape, rate):
    """Draws bools, `False` with probability `rate`, to the nearest 2**-16.

    Half a random word a number: a training step of 2 + 2 layers of led-base
    and 4,096 tokens spent 0.45 s of 6.6 s on whole ones.
    """
    count = math.prod(shape)
    words = jax.random.bits(_cheap_key(seed), (-(-count // 2),), "uint32")
    halves = jax.lax.bitcast_convert_type(words, "uint16")  # (words, 2)
    halves = jnp.reshape(jnp.ravel(halves)[:count], shape)
    return halves >= jnp.uint16(min(round(rate * 2**16), 2**16 - 1))


def _cheap_key(seed):
    return jax.random.wrap_key_data(jnp.concatenate([seed, seed]), impl="rbg")


def argmax(x):
    """Index of the largest entry along the last axis, int32; the first."""
    return jnp.argmax(x, axis=-1).astype("int32")


def custom_gradient(forward, backward, constants):
    """Makes a function of tensors with a gradient of its own.

    Args:
        forward: Callable from `constants` and operands, float tensors, to an
            output tensor and a tuple of tensors for `backward`.
        backward: Callable from `constants`, that tuple, and the gradient by
            the output to the tuple of gradients by the operands.
        constants: Tuple of the other tensors (or `None`s) that both read.

    Returns:
        Callable from operands to the output.
    """

    @jax.custom_vjp
    def function(constants, *operands):
        return forward(constants, *operands)[0]

    def keep(constants, *operands):
        output, kept = forward(constants, *operands)
        return output, (constants, kept)

    def derive(kept, upstream):
        return None, *backward(*kept, upstream)

    function.defvjp(keep, derive)
    return functools.partial(function, constants)


def remat(function):
    """`function`, whose backward pass computes it once more.

    XLA for a CPU keeps what `keras.remat` wants computed twice. It does not
    look into the branches of a condition, nor run one ahead of a gradient
    that the condition reads: 1.7 GB instead of 7.8 for a step of 6 + 6 layers
    of led-base and 8,192 tokens.

    Args:
        function: Callable from float tensors to a pytree of float tensors; it
            may read weights and other tensors.

    Returns:
        Callable likewise.
    """
    if jax.default_backend() != "cpu":
        return keras.remat(function)

    def run(*operands):
        # With the weights as arguments, for the sake of their gradients.
        pure, weights = jax.closure_convert(function, *operands)

        def plain(operands, weights):
            return pure(*operands, *weights)

        def keep(operands, weights):
            return plain(operands, weights), (operands, weights)

        def derive(kept, upstream):
            def again(kept, upstream):
                return jax.vjp(plain, *kept)[1](upstream)

            def never(kept, upstream):
                return jax.tree.map(jnp.zeros_like, kept)

            first = jnp.ravel(jax.tree.leaves(upstream)[0])[0]
            # Always true, but for all that XLA can tell.
            drawn = jax.lax.rng_uniform(0.0, 1.0, ()) < 2.0
            always = drawn | jnp.isnan(first)
            return jax.lax.cond(always, again, never, kept, upstream)

        call = jax.custom_vjp(plain)
        call.defvjp(keep, derive)
        return call(operands, tuple(weights))

    return run


def read_slice(x, index, size, axis):
    """Reads a part of `x` along `axis`, as `tensorflow.read_slice`."""
    start, shape = [0] * len(x.shape), list(ops.shape(x))
    start[axis], shape[axis] = index, size
    return ops.slice(x, start, shape)


def write_slice(x, index, updates, axis):
    """Writes `updates` into `x` at `index` of `axis`, for a new tensor.

    Args:
        x: Tensor.
        index: int or int scalar tensor.
        updates: Tensor of the shape of `x` but for `axis`.
        axis: int.
    """
    start = [0] * len(x.shape)
    start[axis] = index
    return ops.slice_update(x, tuple(start), updates)


def block_layout(holds_scores=True):
    """Chooses the `BlockLayout` for the device that JAX runs on."""
    if jax.default_backend() != "cpu":
        return ON_ACCELERATOR
    return ON_CPU if holds_scores else ON_CPU._replace(scores_per_step=2**20)


def device_kind():
    """str, the kind of device that JAX runs on, such as "cpu"."""
    return jax.default_backend()


def register_pytree(cls):
    """Makes `keras.tree` and JAX see into `cls`, a dict of tensors."""
    jax.tree_util.register_pytree_node(
        cls,
        lambda output: (tuple(output.values()), tuple(output)),
        lambda keys, values: cls(zip(keys, values, strict=True)),
    )
    return optrees.register(cls)

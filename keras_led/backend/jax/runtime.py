"""The JAX side of `keras_led.backend`."""

import functools
import math
import random
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import ops

from keras_led.backend import optrees
from keras_led.backend.block_layout import ON_ACCELERATOR
from keras_led.backend.block_layout import ON_CPU
from keras_led.backend.jax.shards import document_shards
from keras_led.typing import D
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.block_layout import BlockLayout

# What `jit_compile="auto"` means for `compile`.
JIT_BY_DEFAULT = True

# Whether Keras compiles what `jit_compile=True` asks for.
CAN_JIT = True

# Whether scores of a few queries are taken as `key @ query^T`: XLA copies all
# keys for `query @ key^T` (measured on a CPU, 4 queries, 4,096 keys: 1.8 ms a
# layer against 0.7 ms).
KEYS_FIRST = True

# Whether Keras' call of a layer takes long beside the layer: not in a trace.
LAYER_CALLS_ARE_SLOW = False

# Whether a training step for which `fit` finds no more data changes variables.
STEP_RUNS_BEFORE_DATA_CHECK = False


def is_concrete(tensor: Tensor) -> bool:
    if isinstance(tensor, (jax.core.Tracer, keras.KerasTensor)):
        return False
    result = jax.numpy.zeros((), "int32") + 1
    return not isinstance(result, jax.core.Tracer)


def set_random_seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)


def random_state() -> list[Any]:
    return []


def set_random_state(arrays: list[Any]) -> None:
    pass


def replica() -> Any:
    return None


def mean_over_replicas(x: Tensor) -> Tensor:
    return x


def share_of_sum(loss: Tensor) -> Tensor:
    return loss


def spans_workers() -> bool:
    return False


def local_batch(batch: Any) -> Any:
    return batch


def list_parameters(layer: "keras.layers.Layer") -> None:
    del layer


def transpose(x: Tensor, axes: tuple[Any, ...]) -> Tensor:
    return ops.transpose(x, axes)


def contiguous(x: Tensor) -> Tensor:
    return x


def draw_seed(generator: keras.random.SeedGenerator) -> Tensor:
    return generator.next()


def fold_in(seed: Tensor, data: Any) -> Tensor:
    return jax.random.fold_in(seed, data)


def uniform(seed: Tensor, shape: tuple[Any, ...]) -> Tensor:
    return jax.random.uniform(_cheap_key(seed), shape)


def keep_at_random(seed: Tensor, shape: tuple[Any, ...], rate: float) -> Tensor:
    count = math.prod(shape)
    words = jax.random.bits(_cheap_key(seed), (-(-count // 2),), "uint32")
    halves = jax.lax.bitcast_convert_type(words, "uint16")  # (words, 2)
    halves = jnp.reshape(jnp.ravel(halves)[:count], shape)
    return halves >= jnp.uint16(min(round(rate * 2**16), 2**16 - 1))


def _cheap_key(seed):
    return jax.random.wrap_key_data(jnp.concatenate([seed, seed]), impl="rbg")


def argmax(x: Tensor) -> Tensor:
    return jnp.argmax(x, axis=-1).astype("int32")


def number_where(mask: Tensor, true: Any, false: Any) -> Tensor:
    return ops.where(mask, true, false)


def custom_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    constants: tuple[Any, ...],
) -> Callable[..., Any]:

    @jax.custom_vjp
    def function(constants, *operands):
        return forward(constants, *operands)[0]

    def keep(constants, *operands):
        output, kept = forward(constants, *operands)
        return output, (constants, kept)

    def derive(kept, grad_output):
        return None, *backward(*kept, grad_output)

    function.defvjp(keep, derive)
    return functools.partial(function, constants)


def remat(function: Callable[..., Any]) -> Callable[..., Any]:
    """XLA does not look into the branches of a condition, nor run one ahead of
    a gradient that the condition reads. Within a shard the gradient could not
    reach the masks that `function` reads: there, as elsewhere.
    """
    if jax.default_backend() != "cpu" or document_shards() is not None:
        return keras.remat(function)

    def run(*operands):
        # With the weights as arguments, for the sake of their gradients.
        pure, weights = jax.closure_convert(function, *operands)

        def plain(operands, weights):
            return pure(*operands, *weights)

        def keep(operands, weights):
            return plain(operands, weights), (operands, weights)

        def derive(kept, grad_output):
            def again(kept, grad_output):
                return jax.vjp(plain, *kept)[1](grad_output)

            def never(kept, grad_output):
                return jax.tree.map(jnp.zeros_like, kept)

            first = jnp.ravel(jax.tree.leaves(grad_output)[0])[0]
            # Always true, but for all that XLA can tell.
            drawn = jax.lax.rng_uniform(0.0, 1.0, ()) < 2.0
            always = drawn | jnp.isnan(first)
            return jax.lax.cond(always, again, never, kept, grad_output)

        call = jax.custom_vjp(plain)
        call.defvjp(keep, derive)
        return call(operands, tuple(weights))

    return run


def read_slice(x: Tensor, index: Any, size: Any, axis: int) -> Tensor:
    start, shape = [0] * len(x.shape), list(ops.shape(x))
    start[axis], shape[axis] = index, size
    return ops.slice(x, start, shape)


def write_slice(x: Tensor, index: Any, updates: Tensor, axis: int) -> Tensor:
    start = [0] * len(x.shape)
    start[axis] = index
    return ops.slice_update(x, tuple(start), updates)


def preferred_layout(holds_scores: bool = True) -> "BlockLayout":
    if jax.default_backend() != "cpu":
        return ON_ACCELERATOR
    return ON_CPU if holds_scores else ON_CPU._replace(scores_per_step=2**20)


def device_kind() -> str:
    return jax.default_backend()


def register_pytree(cls: type[D]) -> type[D]:
    jax.tree_util.register_pytree_node(
        cls,
        lambda output: (tuple(output.values()), tuple(output)),
        lambda keys, values: cls(zip(keys, values, strict=True)),
    )
    return optrees.register(cls)

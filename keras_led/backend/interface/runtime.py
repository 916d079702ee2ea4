"""Tensors, random numbers, replicas, gradients."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

from keras_led.backend.block_layout import BlockLayout
from keras_led.typing import D
from keras_led.typing import Tensor

if TYPE_CHECKING:
    import keras

# What `jit_compile="auto"` means for `compile`. JAX needs XLA; a graph of
# TensorFlow is as fast without it, builds sooner and takes any length.
JIT_BY_DEFAULT: bool

# Whether Keras compiles what `jit_compile=True` asks for. Not on PyTorch, where
# `torch.compile` gives up on the gradients that attention and embeddings bring
# along: `train_step` records steps in its place.
CAN_JIT: bool

# Whether scores of a few queries are computed as `key @ query^T`. XLA copies
# all keys for `query @ key^T`, MKL is half as fast; TensorFlow reads the keys
# transposed at no cost. 4 queries, 4,096 keys, a layer: 1.8 ms against 0.7.
KEYS_FIRST: bool

# Whether Keras' call of a layer takes long beside what the layer does. On
# PyTorch it runs with every step, on the others once for a program.
LAYER_CALLS_ARE_SLOW: bool

# Whether `fit` changes variables in a step before it finds that there are no
# more data, as a graph of TensorFlow does that applies weight decay first.
STEP_RUNS_BEFORE_DATA_CHECK: bool


def is_concrete(tensor: Tensor) -> bool:
    """Whether the values of `tensor` can be read now, outside a trace.

    Inside one no value can, not even of a tensor from outside: the result of
    any operation on it is traced.
    """
    raise NotImplementedError


def set_random_seed(seed: int) -> None:
    """Seeds Python's generator, which seeds Keras', numpy's and the backend's.

    `keras.utils.set_random_seed` would import TensorFlow, where installed.
    """
    raise NotImplementedError


def random_state() -> list[Any]:
    """Arrays of the random state that Keras' seeds do not hold.

    PyTorch's own generators, from which an unseeded `keras.layers.Dropout`
    draws; an empty list elsewhere.
    """
    raise NotImplementedError


def set_random_state(arrays: list[Any]) -> None:
    """Brings back what `random_state` gave."""
    raise NotImplementedError


def replica() -> Any:
    """Index of the replica that runs this code, or `None` without replicas.

    An int or int32 scalar under `tf.distribute` and in a training pass
    through `DistributedDataParallel`. A program of JAX is one for all
    devices: it sees the whole batch.
    """
    raise NotImplementedError


def mean_over_replicas(x: Tensor) -> Tensor:
    """Mean of a float tensor of each replica; `x` where there is one."""
    raise NotImplementedError


def share_of_sum(loss: Tensor) -> Tensor:
    """What a replica hands on of its `loss`, a float scalar.

    Strategies of `tf.distribute` add up the gradients of the replicas, so a
    share; the others average them or see the whole batch, so all of it.
    """
    raise NotImplementedError


def spans_workers() -> bool:
    """Whether a TensorFlow strategy over several processes is in scope.

    `fit` of Keras 3.15 fails there in two places, which the models go round:
    it takes the mean of the first batch over processes, and that of the logs
    of a step over an axis that a scalar lacks.
    """
    raise NotImplementedError


def local_batch(batch: Any) -> Any:
    """Of a batch that lies on all replicas, the part of the first one here."""
    raise NotImplementedError


def list_parameters(layer: "keras.layers.Layer") -> None:
    """Lists the parameters of a layer anew, after variables came or went.

    `torch.nn.Module.parameters` gives those that a layer had when it was
    built: without this an optimizer of PyTorch, or `DistributedDataParallel`,
    knows nothing of adapters or of a table that was made longer.
    """
    raise NotImplementedError


def transpose(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """`ops.transpose`, also fast for small tensors of a few axes.

    TensorFlow hands a transposition to a library that takes 40 microseconds
    and more to begin (6 for all of 3,072 numbers through `einsum`).
    """
    raise NotImplementedError


def contiguous(x: Tensor) -> Tensor:
    """`x`, laid out in memory in the order of its axes.

    Only PyTorch has views: products with keys that lie head by head read them
    at 22 GB/s, with a view of `(B, S, N, H)` at 5 (4 queries, 16,384 keys).
    """
    raise NotImplementedError


def draw_seed(generator: "keras.random.SeedGenerator") -> Any:
    """Draws a seed, which the functions below take, and moves on to the next.

    An int tensor of shape `(2,)`. On PyTorch two ints of Python's: to read a
    number from a GPU is to wait for all that the GPU has still to do, so each
    seed is read once, and what is folded into it never lies there.
    """
    raise NotImplementedError


def fold_in(seed: Any, data: Any) -> Any:
    """Derives a new seed from `seed` and the int `data`.

    TensorFlow and PyTorch share a hash of a few instructions. XLA copies the
    seeds into every kernel that reads them, and took 24 s to compile one
    forward pass of two layers with `tf.random.fold_in`, 7 s with the hash.
    """
    raise NotImplementedError


def uniform(seed: Any, shape: tuple[Any, ...]) -> Tensor:
    """Draws float32 numbers from `[0, 1)`; the same `seed` gives the same.

    On JAX by XLA's own generator: the default one is unrolled into every
    kernel that reads the numbers (32 s to compile a step of 1+1 layers, 11 s
    with this).
    """
    raise NotImplementedError


def keep_at_random(seed: Any, shape: tuple[Any, ...], rate: float) -> Tensor:
    """Draws bools, `False` with probability `rate`.

    On JAX to the nearest 2**-16, half a random word a number: a step of 2+2
    layers of led-base and 4,096 tokens spent 0.45 s of 6.6 s on whole ones.
    """
    raise NotImplementedError


def argmax(x: Tensor) -> Tensor:
    """Index of the largest entry along the last axis, int32; the first."""
    raise NotImplementedError


def number_where(mask: Tensor, true: Any, false: Any) -> Tensor:
    """One of two float32 numbers of numpy's for each entry of a bool tensor.

    On PyTorch `ops.where` would copy both to a GPU whenever it runs.
    """
    raise NotImplementedError


def custom_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    constants: tuple[Any, ...],
) -> Callable[..., Any]:
    """Makes a function of tensors with a gradient of its own.

    Args:
        forward: Callable from `constants` and operands, float tensors, to an
            output tensor and a tuple of tensors for `backward`.
        backward: Callable from `constants`, that tuple, and the gradient of
            the output to the tuple of gradients of the operands.
        constants: Tuple of the other tensors (or `None`s) that both read.

    Returns:
        Callable from operands to the output.
    """
    raise NotImplementedError


def remat(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, recomputed in the backward pass instead of stored.

    `keras.remat`, but for JAX on a CPU, where XLA keeps what should be
    computed twice: 1.7 GB instead of 7.8 for a step of 6+6 layers of led-base
    and 8,192 tokens.

    Args:
        function: Callable from float tensors to a pytree of float tensors; it
            may read weights and other tensors.

    Returns:
        Callable likewise.
    """
    raise NotImplementedError


def read_slice(x: Tensor, index: Any, size: Any, axis: int) -> Tensor:
    """Reads `size` entries of `x` from `index` of `axis` on.

    Args:
        x: Tensor.
        index: int or int scalar tensor.
        size: int or int scalar tensor.
        axis: int.
    """
    raise NotImplementedError


def write_slice(x: Tensor, index: Any, updates: Tensor, axis: int) -> Tensor:
    """Writes `updates` into `x` at `index` of `axis`, for a new tensor.

    On TensorFlow 12 caches and 128 tokens took 43 ms by `ops.slice_update`,
    which is for XLA alone; the update in place that only TensorFlow knows
    takes 15 ms, a choice between old and new, which any runtime has, 35 ms.

    Args:
        x: Tensor.
        index: int or int scalar tensor.
        updates: Tensor of the shape of `x` but for `axis`, not empty.
        axis: int.
    """
    raise NotImplementedError


def preferred_layout(holds_scores: bool = True) -> BlockLayout:
    """Chooses the `BlockLayout` for the device that runs.

    Args:
        holds_scores: bool, whether all scores of a step exist at once.
    """
    raise NotImplementedError


def device_kind() -> str:
    """The kind of device that runs, such as "cpu"."""
    raise NotImplementedError


def register_pytree(cls: type[D]) -> type[D]:
    """Makes `keras.tree` and the backend see into `cls`, a dict of tensors."""
    raise NotImplementedError

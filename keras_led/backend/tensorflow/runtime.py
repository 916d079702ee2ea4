"""The TensorFlow side of `keras_led.backend`."""

import string
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_led.backend.block_layout import ON_ACCELERATOR
from keras_led.backend.block_layout import ON_CPU
from keras_led.backend.tensorflow.private_graph import in_xla_graph
from keras_led.backend.tensorflow.private_graph import runs_here
from keras_led.backend.tensorflow.tensors import shape as sizes_of
from keras_led.typing import D
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.block_layout import BlockLayout

# What `jit_compile="auto"` means for `compile`. A graph without XLA is as fast
# here, builds sooner, and takes batches of any length.
JIT_BY_DEFAULT = False

# Whether Keras compiles what `jit_compile=True` asks for.
CAN_JIT = True

# Whether scores of a few queries are taken as `key @ query^T`: no, the product
# reads the keys transposed at no cost.
KEYS_FIRST = False

# Up to so many numbers, a tensor is small to `transpose`.
SMALL_SIZE = 2**16

# Whether Keras' call of a layer takes long beside the layer: not in a graph.
LAYER_CALLS_ARE_SLOW = False

# Whether a training step for which `fit` finds no more data changes variables:
# the graph applies weight decay, say, before it asks for the batch.
STEP_RUNS_BEFORE_DATA_CHECK = True


def is_concrete(tensor: Tensor) -> bool:
    if isinstance(tensor, keras.KerasTensor) or not tf.executing_eagerly():
        return False
    return not tf.is_tensor(tensor) or hasattr(tensor, "numpy")


def set_random_seed(seed: int) -> None:
    keras.utils.set_random_seed(seed)


def random_state() -> list[Any]:
    return []


def set_random_state(arrays: list[Any]) -> None:
    pass


def replica() -> Any:
    context = _replica_context()
    return None if context is None else context.replica_id_in_sync_group


def mean_over_replicas(x: Tensor) -> Tensor:
    context = _replica_context()
    if context is None:
        return x
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)


def share_of_sum(loss: Tensor) -> Tensor:
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return loss / replicas if replicas > 1 else loss


def spans_workers() -> bool:
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return False
    cluster = strategy.cluster_resolver.cluster_spec()
    workers = {"chief", "worker"}.intersection(cluster.jobs)
    return sum(map(cluster.num_tasks, workers)) > 1


def local_batch(batch: Any) -> Any:
    strategy = tf.distribute.get_strategy()
    return keras.tree.map_structure(
        lambda x: strategy.experimental_local_results(x)[0], batch
    )


def _replica_context():
    context = tf.distribute.get_replica_context()  # `None` beside replicas
    several = context is not None and context.num_replicas_in_sync > 1
    return context if several else None


def list_parameters(layer: "keras.layers.Layer") -> None:
    del layer


def transpose(x: Tensor, axes: tuple[Any, ...]) -> Tensor:
    """Through `einsum` for small tensors."""
    size = x.shape.num_elements()
    if size is None or size > SMALL_SIZE:
        return tf.transpose(x, axes)
    letters = string.ascii_lowercase[: len(axes)]
    return tf.einsum(f"{letters}->{''.join(letters[i] for i in axes)}", x)


def contiguous(x: Tensor) -> Tensor:
    return x


def draw_seed(generator: keras.random.SeedGenerator) -> Tensor:
    return generator.next()


def fold_in(seed: Tensor, data: Any) -> Tensor:
    return _fold_in(tf.cast(seed, "uint32"), tf.cast(data, "uint32"))


# Called, not written out: a step of training folds a few dozen seeds, each of
# fifty operations, which were a quarter of its graph.
@tf.function(
    autograph=False,
    input_signature=[tf.TensorSpec([2], "uint32"), tf.TensorSpec([], "uint32")],
)
def _fold_in(seed, data):
    first, second = tf.unstack(seed)
    mixed = _mix(_mix(first, second), data)
    other = _mix(mixed, tf.bitwise.bitwise_xor(first, second))
    return tf.cast(tf.stack([mixed, other]), "int32")  # modulo 2^32


def uniform(seed: Tensor, shape: tuple[Any, ...]) -> Tensor:
    return tf.random.stateless_uniform(shape, tf.cast(seed, "int32"))


def keep_at_random(seed: Tensor, shape: tuple[Any, ...], rate: float) -> Tensor:
    return uniform(seed, shape) >= rate


def _mix(first, second):
    """Hashes two uint32 scalars to one, keeping neighbours apart.

    The odd multipliers are the golden ratio and two of xxHash's primes.
    """
    mixed = first * tf.constant(0x9E3779B1, "uint32")
    mixed += second * tf.constant(0x85EBCA77, "uint32")
    mixed = _fold_bits(mixed, 15) * tf.constant(0xC2B2AE3D, "uint32")
    return _fold_bits(mixed, 13)


def _fold_bits(x, count):
    shifted = tf.bitwise.right_shift(x, tf.constant(count, "uint32"))
    return tf.bitwise.bitwise_xor(x, shifted)


def argmax(x: Tensor) -> Tensor:
    # `ops.argmax` orders -0 before 0 on its way: half a dozen passes over the
    # scores, by operations that few runtimes have.
    return tf.argmax(x, axis=-1, output_type="int32")


def number_where(mask: Tensor, true: Any, false: Any) -> Tensor:
    return ops.where(mask, true, false)


def custom_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    constants: tuple[Any, ...],
) -> Callable[..., Any]:

    @tf.custom_gradient
    def function(*operands):
        output, kept = forward(constants, *operands)
        return output, lambda grad: backward(constants, kept, grad)

    return function


def remat(function: Callable[..., Any]) -> Callable[..., Any]:
    return keras.remat(function)


def read_slice(x: Tensor, index: Any, size: Any, axis: int) -> Tensor:
    start, sizes = [0] * len(x.shape), list(sizes_of(x))
    start[axis], sizes[axis] = index, size
    return tf.slice(x, start, sizes)


def write_slice(x: Tensor, index: Any, updates: Tensor, axis: int) -> Tensor:
    # `ops.slice_update` is an operation that no runtime without XLA has.
    if in_xla_graph():
        start = [0] * len(x.shape)
        start[axis] = index
        return ops.slice_update(x, tuple(start), updates)
    size = sizes_of(updates)[axis]
    if runs_here():
        return _write_in_place(x, index, size, updates, axis)
    ones = [1] * (len(x.shape) - axis - 1)
    place = tf.range(sizes_of(x)[axis]) - index
    if not isinstance(size, int) or size > 1:
        rows = tf.clip_by_value(place, 0, size - 1)
        updates = tf.gather(updates, rows, axis=axis)
    written = tf.logical_and(place >= 0, place < size)
    return tf.where(tf.reshape(written, [-1, *ones]), updates, x)


def _write_in_place(x, index, size, updates, axis):
    """`write_slice` into the memory of `x`, where nothing else reads it."""
    begin, end = [0] * len(x.shape), [0] * len(x.shape)
    begin[axis], end[axis] = index, index + size
    whole = (1 << len(x.shape)) - 1 - (1 << axis)  # the other axes
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=x,
        begin=tf.stack(begin),
        end=tf.stack(end),
        strides=[1] * len(x.shape),
        value=updates,
        begin_mask=whole,
        end_mask=whole,
    )


def preferred_layout(holds_scores: bool = True) -> "BlockLayout":
    del holds_scores  # the scores of a step always exist here
    return ON_ACCELERATOR if tf.config.list_logical_devices("GPU") else ON_CPU


def device_kind() -> str:
    return "gpu" if tf.config.list_logical_devices("GPU") else "cpu"


def register_pytree(cls: type[D]) -> type[D]:
    from keras_led.backend import optrees

    return optrees.register(cls)

"""The TensorFlow side of `keras_led.backend`."""

import string

import keras
import tensorflow as tf
from keras import ops

from keras_led.backend.blocks import ON_ACCELERATOR
from keras_led.backend.blocks import ON_CPU
from keras_led.backend.tensorflow_graphs import in_xla_graph
from keras_led.backend.tensorflow_graphs import private_graph
from keras_led.backend.tensorflow_graphs import runs_here
from keras_led.backend.tensorflow_graphs import xla_graph

# What `jit_compile="auto"` means for `compile`. A graph without XLA is as fast
# here, builds sooner, and takes batches of any length.
JIT_BY_DEFAULT = False

# Whether `compile` takes `jit_compile=True`.
CAN_JIT = True

# Whether scores of a few queries are taken as `key @ query^T`: no, the product
# reads the keys transposed at no cost.
KEYS_FIRST = False

# Up to so many numbers, a tensor is small to `transpose`.
SMALL_SIZE = 2**16

# Whether a training step for which `fit` finds no more data changes variables:
# the graph applies weight decay, say, before it asks for the batch.
CHANGES_WITHOUT_DATA = True


def is_concrete(tensor):
    """Whether the values of `tensor` can be read now, outside a trace.

    Inside `tf.function` no value can, not even of a tensor from outside: the
    result of any operation on it is part of the graph.
    """
    if isinstance(tensor, keras.KerasTensor) or not tf.executing_eagerly():
        return False
    return not tf.is_tensor(tensor) or hasattr(tensor, "numpy")


def jit(function, model, large_products=False, recordable=False):
    """Compiles `function`, which reads the weights of `model`, to one graph.

    Args:
        function: Callable from tensors (or pytrees of them) to the same.
        model: The Keras model whose variables `function` reads. Where it has
            a true `compile_with_xla`, XLA compiles the graph.
        large_products: bool, a hint for XLA; ignored here.
        recordable: bool, a hint for PyTorch; ignored here.

    Returns:
        A callable with the signature of `function`. It compiles once for each
        set of input shapes and always sees the current weights.
    """
    del large_products, recordable
    # A graph refers to variables by handle: the model is not asked for them.
    by_xla = getattr(model, "compile_with_xla", None)
    function = xla_graph(function) if by_xla else private_graph(function)
    # Control flow is written with `keras.ops`: rewriting Python into graph
    # code would only double the time to trace (2.1 s against 1.0 s for beam
    # search with a tiny model).
    return tf.function(function, autograph=False, jit_compile=by_xla)


def train_step(model):
    """`None`: Keras' own training step is as fast as any."""


def set_random_seed(seed):
    """Seeds the generators of Python, numpy and TensorFlow."""
    keras.utils.set_random_seed(seed)


def random_state():
    """Arrays of the random state that Keras' seeds do not hold: none here."""
    return []


def set_random_state(arrays):
    """Brings back what `random_state` gave."""


def replica():
    """Index of the replica that runs this code, or `None` where none does.

    An int or int32 scalar tensor, under a strategy of `tf.distribute`.
    """
    context = _replica_context()
    return None if context is None else context.replica_id_in_sync_group


def mean_over_replicas(x):
    """Mean of a float tensor of each replica's; `x` where there is one."""
    context = _replica_context()
    if context is None:
        return x
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, x)


def share_of_sum(loss):
    """What a replica hands on of its `loss`, a float scalar.

    Strategies of `tf.distribute` add up the gradients of the replicas.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return loss / replicas if replicas > 1 else loss


def _replica_context():
    context = tf.distribute.get_replica_context()  # `None` beside replicas
    several = context is not None and context.num_replicas_in_sync > 1
    return context if several else None


def transpose(x, axes):
    """`ops.transpose`, also fast for small tensors of a few axes.

    TensorFlow hands a transposition to a library that takes 40 microseconds
    and more to begin (6 for all of 3,072 numbers through `einsum`).
    """
    size = x.shape.num_elements()
    if size is None or size > SMALL_SIZE:
        return tf.transpose(x, axes)
    letters = string.ascii_lowercase[: len(axes)]
    return tf.einsum(f"{letters}->{''.join(letters[i] for i in axes)}", x)


def contiguous(x):
    """`x`: a tensor lies in memory in the order of its axes."""
    return x


def fold_in(seed, data):
    """Derives a new seed from `seed` and the int `data`; both shape `(2,)`.

    A hash of a few instructions, the same as under PyTorch: XLA copies the
    seeds into every kernel that reads them, and took 24 s to compile one
    forward pass of two layers with `tf.random.fold_in`, 7 s with this.
    """
    first, second = tf.unstack(tf.cast(seed, "uint32"))
    mixed = _mix(_mix(first, second), tf.cast(data, "uint32"))
    other = _mix(mixed, tf.bitwise.bitwise_xor(first, second))
    return tf.cast(tf.stack([mixed, other]), "int32")  # modulo 2^32


def uniform(seed, shape):
    """Draws float32 numbers from `[0, 1)`; the same `seed` gives the same."""
    return tf.random.stateless_uniform(shape, tf.cast(seed, "int32"))


def keep_at_random(seed, shape, rate):
    """Draws bools, `False` with probability `rate`."""
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


def argmax(x):
    """Index of the largest entry along the last axis, int32.

    The first of equal ones. Not `ops.argmax`, which on its way orders -0 before
    0: half a dozen passes over the scores, by operations few runtimes have.
    """
    return tf.argmax(x, axis=-1, output_type="int32")


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

    @tf.custom_gradient
    def function(*operands):
        output, kept = forward(constants, *operands)
        return output, lambda upstream: backward(constants, kept, upstream)

    return function


def remat(function):
    """`function`, whose backward pass computes it once more; as Keras does."""
    return keras.remat(function)


def read_slice(x, index, size, axis):
    """Reads `size` entries of `x` from `index` of `axis` on.

    Args:
        x: Tensor.
        index: int or int scalar tensor.
        size: int or int scalar tensor.
        axis: int.
    """
    start, shape = [0] * len(x.shape), list(ops.shape(x))
    start[axis], shape[axis] = index, size
    return ops.slice(x, start, shape)


def write_slice(x, index, updates, axis):
    """Writes `updates` into `x` at `index` of `axis`, for a new tensor.

    `ops.slice_update` is an operation that no runtime without XLA has. For 12
    caches and 128 tokens it took 43 ms on two cores; the update in place that
    only TensorFlow knows takes 15 ms, a choice between old and new, which any
    runtime has, 35 ms.

    Args:
        x: Tensor.
        index: int or int scalar tensor.
        updates: Tensor of the shape of `x` but for `axis`, not empty.
        axis: int.
    """
    if in_xla_graph():
        start = [0] * len(x.shape)
        start[axis] = index
        return ops.slice_update(x, tuple(start), updates)
    size = ops.shape(updates)[axis]
    if runs_here():
        return _write_in_place(x, index, size, updates, axis)
    ones = [1] * (len(x.shape) - axis - 1)
    place = tf.range(ops.shape(x)[axis]) - index
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


def block_layout(holds_scores=True):
    """Chooses the `BlockLayout` for the device that TensorFlow runs on."""
    del holds_scores  # the scores of a step always exist here
    return ON_ACCELERATOR if tf.config.list_logical_devices("GPU") else ON_CPU


def device_kind():
    """str, the kind of device that TensorFlow runs on, such as "cpu"."""
    return "gpu" if tf.config.list_logical_devices("GPU") else "cpu"


def register_pytree(cls):
    """Makes `keras.tree` see into `cls`, a dict of tensors.

    `tf.function` and `tf.nest` know mappings already.
    """
    from keras_led.backend import optrees

    return optrees.register(cls)

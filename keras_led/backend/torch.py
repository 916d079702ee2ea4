"""The PyTorch side of `keras_led.backend`."""

import functools
import random

import keras
import numpy as np
import torch
from keras import ops

# A private name, in Keras since 3.3; nothing public tells.
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from torch.nn.parallel import DistributedDataParallel
from torch.utils import _pytree

from keras_led.backend import torch_recording
from keras_led.backend.blocks import ON_ACCELERATOR
from keras_led.backend.blocks import ON_CPU
from keras_led.backend.blocks import BlockLayout
from keras_led.backend.torch_shapes import read_int
from keras_led.backend.torch_shapes import shapes_only

# What `jit_compile="auto"` means for `compile`.
JIT_BY_DEFAULT = False

# Whether `compile` takes `jit_compile=True`: `torch.compile` gives up on the
# gradients that the attention and the embeddings bring along.
CAN_JIT = False

# Whether scores of a few queries are taken as `key @ query^T`: twice as fast as
# `query @ key^T` (measured on a CPU, 4 queries, 4,096 keys: 0.7 ms a layer).
KEYS_FIRST = True

# Whether a training step for which `fit` finds no more data changes variables.
CHANGES_WITHOUT_DATA = False


def is_concrete(tensor):
    """Whether the values of `tensor` can be read now, outside a trace.

    Keras' placeholders, with which it looks for shapes, are tensors of ones.
    """
    if isinstance(tensor, keras.KerasTensor) or torch.compiler.is_compiling():
        return False
    if in_symbolic_scope():
        return False
    if torch_recording.is_recording():
        return False
    return not shapes_only(tensor)


def set_random_seed(seed):
    """Seeds the generators of Python, which seeds Keras', numpy and PyTorch.

    `keras.utils.set_random_seed` would import TensorFlow, where installed.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_state():
    """Arrays of the random state that Keras' seeds do not hold.

    An unseeded `keras.layers.Dropout` draws from PyTorch's own generators.
    """
    states = [torch.get_rng_state()]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states += torch.cuda.get_rng_state_all()
    return [state.numpy() for state in states]


def set_random_state(arrays):
    """Brings back what `random_state` gave."""
    first, *others = (torch.from_numpy(array) for array in arrays)
    torch.set_rng_state(first)
    if others:
        torch.cuda.set_rng_state_all(others)


def replica():
    """Index of the replica that runs this code, or `None` where none does.

    An int, in a training pass through `DistributedDataParallel`.
    """
    group = _replica_group()
    return None if group is None else group.rank()


def mean_over_replicas(x):
    """Mean of a float tensor of each replica's; `x` where there is one."""
    group = _replica_group()
    if group is None:
        return x
    total = x.detach().clone()
    torch.distributed.all_reduce(total, group=group)
    return total / group.size()


def share_of_sum(loss):
    """What a replica hands on of its `loss`: all of it.

    `DistributedDataParallel` takes the mean of the gradients.
    """
    return loss


def _replica_group():
    """The processes that share this pass, whose backward passes will meet.

    Without gradients a process may run alone, and would wait for the others.
    """
    if not torch.distributed.is_available() or not torch.is_grad_enabled():
        return None
    # A private name, in PyTorch since 2.0; TorchDynamo asks in the same way.
    running = DistributedDataParallel._get_active_ddp_module()
    return None if running is None else running.process_group


def transpose(x, axes):
    """`ops.transpose`, also fast for small tensors."""
    return x.permute(axes)


def contiguous(x):
    """`x`, laid out in memory in the order of its axes.

    Products with keys that lie head by head read them at 22 GB/s, with a view
    of `(B, S, N, H)` at 5 (measured on a CPU, 4 queries, 16,384 keys).
    """
    return x.contiguous()


def fold_in(seed, data):
    """Derives a new seed from `seed` and the int `data`; both shape `(2,)`.

    It stays on the CPU, where Python reads it: to read one from a GPU is to
    wait for all that the GPU has still to do, some 450 times a training step.
    """
    if shapes_only(seed):
        return seed
    first, second = seed.tolist()
    mixed = _mix(_mix(first, second), int(data))
    return torch.tensor([mixed, _mix(mixed, first ^ second)], device="cpu")


def uniform(seed, shape):
    """Draws float32 numbers from `[0, 1)`; the same `seed` gives the same."""
    device = ops.zeros((0,)).device  # the one that Keras uses
    if shapes_only(seed):
        return torch.empty(shape, device=seed.device)
    generator = torch.Generator(device=device)
    # The CPU's generator reads 32 bits of its seed: all of ours go into them.
    generator.manual_seed(_mix(*seed.tolist()))
    shape = tuple(int(size) for size in shape)
    return torch.rand(shape, generator=generator, device=device)


def keep_at_random(seed, shape, rate):
    """Draws bools, `False` with probability `rate`."""
    return uniform(seed, shape) >= rate


def _mix(first, second):
    """Hashes two ints to 32 bits, keeping neighbours apart.

    The odd multipliers are the golden ratio and two of xxHash's primes.
    """
    mixed = (first * 0x9E3779B1 + second * 0x85EBCA77) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 0xC2B2AE3D) & 0xFFFFFFFF
    return mixed ^ (mixed >> 13)


def argmax(x):
    """Index of the largest entry along the last axis, int32."""
    return torch.argmax(x, dim=-1).to(torch.int32)


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

    def function(*operands):
        if torch.is_grad_enabled():
            return _CustomGradient.apply(
                forward, backward, constants, *operands
            )
        return forward(constants, *operands)[0]

    return function


# One class for all calls: each class is a cycle of references, which would
# keep what its methods refer to until the next collection of garbage.
class _CustomGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, forward, backward, constants, *operands):
        output, kept = forward(constants, *operands)
        # By this way alone does checkpointing know of them.
        ctx.save_for_backward(*kept)
        ctx.derive = functools.partial(backward, constants)
        return output

    @staticmethod
    def backward(ctx, upstream):
        by_operands = ctx.derive(ctx.saved_tensors, upstream)
        return None, None, None, *by_operands


def remat(function):
    """`function`, whose backward pass computes it once more; as Keras does."""
    return keras.remat(function)


def read_slice(x, index, size, axis):
    """Reads a part of `x` along `axis`, as `tensorflow.read_slice`."""
    return ops.convert_to_tensor(x).narrow(axis, read_int(index), int(size))


def write_slice(x, index, updates, axis):
    """Writes `updates` into `x` at `index` of `axis`, for a new tensor.

    Args:
        x: Tensor.
        index: int or int scalar tensor.
        updates: Tensor of the shape of `x` but for `axis`.
        axis: int.
    """
    places = torch.arange(updates.shape[axis], device=x.device) + index
    return x.index_copy(axis, places, updates)


def block_layout(holds_scores=True):
    """Chooses the `BlockLayout` for the device that Keras runs PyTorch on.

    Args:
        holds_scores: bool, whether all scores of a step exist at once.
    """
    if torch.cuda.is_available():
        return ON_ACCELERATOR if holds_scores else BlockLayout(256, 32)
    # The kernel of `attend` takes larger tiles of 192 queries and more.
    return ON_CPU if holds_scores else BlockLayout(256, 1)


def device_kind():
    """str, the kind of device that Keras runs PyTorch on, such as "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def register_pytree(cls):
    """Makes `keras.tree` (PyTorch's own here) see into `cls`, a dict."""
    _pytree.register_pytree_node(
        cls,
        lambda output: (list(output.values()), tuple(output)),
        lambda values, keys: cls(zip(keys, values, strict=True)),
        serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
    )
    return cls

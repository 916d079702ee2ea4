"""The PyTorch side of `keras_led.backend`."""

import functools
import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from keras import ops

# A private name, in Keras since 3.3; nothing public tells.
from keras.src.backend.common.symbolic_scope import in_symbolic_scope
from torch.nn.parallel import DistributedDataParallel
from torch.utils import _pytree

from keras_led.backend.block_layout import ON_ACCELERATOR
from keras_led.backend.block_layout import ON_CPU
from keras_led.backend.block_layout import BlockLayout
from keras_led.backend.torch import seeds
from keras_led.backend.torch.replay import recorder
from keras_led.backend.torch.seeds import Seed
from keras_led.backend.torch.seeds import as_seed
from keras_led.backend.torch.seeds import draw_bools
from keras_led.backend.torch.seeds import draw_uniform
from keras_led.backend.torch.seeds import noise
from keras_led.backend.torch.shapes import read_int
from keras_led.backend.torch.shapes import shapes_only
from keras_led.backend.torch.shards import document_shards
from keras_led.backend.torch.shards import same_everywhere
from keras_led.backend.torch.tensors import as_tensor
from keras_led.typing import D
from keras_led.typing import Tensor

# What `jit_compile="auto"` means for `compile`.
JIT_BY_DEFAULT = False

# Whether Keras compiles what `jit_compile=True` asks for: `torch.compile` gives
# up on the gradients that the attention and the embeddings bring along.
CAN_JIT = False

# Whether scores of a few queries are taken as `key @ query^T`: twice as fast as
# `query @ key^T` (measured on a CPU, 4 queries, 4,096 keys: 0.7 ms a layer).
KEYS_FIRST = True

# Whether Keras' call of a layer takes long beside the layer.
LAYER_CALLS_ARE_SLOW = True

# Whether a training step for which `fit` finds no more data changes variables.
STEP_RUNS_BEFORE_DATA_CHECK = False


def is_concrete(tensor: Tensor) -> bool:
    if isinstance(tensor, keras.KerasTensor) or torch.compiler.is_compiling():
        return False
    # Keras' placeholders, with which it looks for shapes, are tensors of ones.
    if in_symbolic_scope() or recorder.is_recording():
        return False
    return not shapes_only(tensor)


def set_random_seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_state() -> list[Any]:
    states = [torch.get_rng_state()]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        states += torch.cuda.get_rng_state_all()
    return [state.numpy() for state in states]


def set_random_state(arrays: list[Any]) -> None:
    first, *others = (torch.from_numpy(array) for array in arrays)
    torch.set_rng_state(first)
    if others:
        torch.cuda.set_rng_state_all(others)


def replica() -> Any:
    group = _replica_group()
    return None if group is None else group.rank()


def mean_over_replicas(x: Tensor) -> Tensor:
    group = _replica_group()
    if group is None:
        return x
    total = x.detach().clone()
    torch.distributed.all_reduce(total, group=group)
    return total / group.size()


def share_of_sum(loss: Tensor) -> Tensor:
    return loss


def spans_workers() -> bool:
    return False


def local_batch(batch: Any) -> Any:
    return batch


def _replica_group():
    """The processes that share this pass, whose backward passes will meet.

    Without gradients a process may run alone, and would wait for the others.
    """
    if not torch.distributed.is_available() or not torch.is_grad_enabled():
        return None
    # A private name, in PyTorch since 2.0; TorchDynamo asks in the same way.
    running = DistributedDataParallel._get_active_ddp_module()
    return None if running is None else running.process_group


def list_parameters(layer: "keras.layers.Layer") -> None:
    for one in layer._flatten_layers():
        if hasattr(one, "_torch_params"):
            one._track_variables()


def transpose(x: Tensor, axes: tuple[Any, ...]) -> Tensor:
    return x.permute(axes)


def contiguous(x: Tensor) -> Tensor:
    return x.contiguous()


def draw_seed(generator: keras.random.SeedGenerator) -> Any:
    source = seeds.recorded_noise.get()
    draw = seeds.next_seed if source is None else source.next_seed
    seed = draw(generator)
    if document_shards() is None or shapes_only(seed):
        return seed
    return Seed(*same_everywhere(np.array([seed.first, seed.second])).tolist())


def fold_in(seed: Any, data: Any) -> Any:
    return seed if shapes_only(seed) else as_seed(seed).fold_in(int(data))


def uniform(seed: Any, shape: tuple[Any, ...]) -> Tensor:
    if shapes_only(seed):
        return torch.empty(shape, device=seed.device)
    return noise(draw_uniform, seed, tuple(map(int, shape)))


def keep_at_random(seed: Any, shape: tuple[Any, ...], rate: float) -> Tensor:
    if shapes_only(seed):
        return torch.empty(shape, dtype=torch.bool, device=seed.device)
    return noise(draw_bools, seed, tuple(map(int, shape)), rate)


def argmax(x: Tensor) -> Tensor:
    return torch.argmax(x, dim=-1).to(torch.int32)


def number_where(mask: Tensor, true: Any, false: Any) -> Tensor:
    if recorder.is_recording():  # which holds both, wherever they have to be
        return ops.where(mask, true, false)
    mask = as_tensor(mask)
    numbers = torch.full_like(mask, float(false), dtype=torch.float32)
    return numbers.masked_fill(mask, float(true))


def custom_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    constants: tuple[Any, ...],
) -> Callable[..., Any]:

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
    def backward(ctx, grad_output):
        grad_operands = ctx.derive(ctx.saved_tensors, grad_output)
        return None, None, None, *grad_operands


def remat(function: Callable[..., Any]) -> Callable[..., Any]:
    distribution = keras.distribution.distribution()
    if distribution is None:
        return keras.remat(function)

    def within(*args):
        # The backward pass may be out of the scope, or in another thread.
        with distribution.scope():
            return function(*args)

    return keras.remat(within)


def read_slice(x: Tensor, index: Any, size: Any, axis: int) -> Tensor:
    return ops.convert_to_tensor(x).narrow(axis, read_int(index), int(size))


def write_slice(x: Tensor, index: Any, updates: Tensor, axis: int) -> Tensor:
    places = torch.arange(updates.shape[axis], device=x.device) + index
    return x.index_copy(axis, places, updates)


def preferred_layout(holds_scores: bool = True) -> BlockLayout:
    if torch.cuda.is_available():
        return ON_ACCELERATOR if holds_scores else BlockLayout(256, 32)
    # The kernel of `attend` takes larger tiles of 192 queries and more.
    return ON_CPU if holds_scores else BlockLayout(256, 1)


def device_kind() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def register_pytree(cls: type[D]) -> type[D]:
    _pytree.register_pytree_node(
        cls,
        lambda output: (list(output.values()), tuple(output)),
        lambda values, keys: cls(zip(keys, values, strict=True)),
        serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
    )
    return cls

"""Which training steps may be recorded: those known to repeat exactly.

A recording repeats operations. What Python decides in a step must be the same
in the next: a rule here refuses what may not be, or `python_state` tells that
it has changed.
"""

from typing import TYPE_CHECKING
from typing import Any

import keras
import torch

from keras_led.backend.optimizer_methods import is_known

if TYPE_CHECKING:
    from collections.abc import Iterable

# Of which it is tested that a recorded step equals another.
_OPTIMIZERS = (
    keras.optimizers.Adam,
    keras.optimizers.AdamW,
    keras.optimizers.Lion,
    keras.optimizers.RMSprop,
)
_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_post_accumulate_grad_hooks",
)
_NUMBERS = (bool, int, float, str, type(None))


def why_not_recorded(model: keras.Model) -> str | None:
    """Why the training step of a compiled model is not recorded, or `None`."""
    if model.run_eagerly:
        return "`run_eagerly` is on"
    if model._compile_loss is not None or model._compile_metrics is not None:
        return "a loss or metrics were given to `compile`"
    if any(not _is_known(layer) for layer in model._flatten_layers()):
        return "a class of the model is not of this package"
    config = model.config
    if config.output_attentions or config.output_hidden_states:
        return "the config asks for attention weights or hidden states"
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return "several processes train"
    return _why_not_optimized(model.optimizer)


def _why_not_optimized(optimizer):
    if not isinstance(optimizer, _OPTIMIZERS) or not _is_known(optimizer):
        names = ", ".join(kind.__name__ for kind in _OPTIMIZERS)
        return f"the optimizer is none of {names}"
    if optimizer.use_ema:
        return "`use_ema` is on"
    return None


def _is_known(thing):
    return is_known(thing, "call", "train_step", "compute_loss", "apply")


def has_hooks(
    layers: "Iterable[keras.layers.Layer]",
    variables: "Iterable[keras.Variable]",
) -> bool:
    """Whether PyTorch calls functions of a user, which a run would not."""
    holders = (*layers, *map(_tensor, variables))
    return any(getattr(x, name, None) for x in holders for name in _HOOKS)


def python_state(
    owners: "Iterable[Any]", variables: "Iterable[keras.Variable]"
) -> tuple[Any, ...]:
    """What a recorded step takes for constant.

    Args:
        owners: Layers, configs and optimizers, whose public numbers Python
            reads.
        variables: Variables, which steps find where they lie in memory.

    Returns:
        Tuple that can be compared.
    """
    numbers = tuple(
        value
        for owner in owners
        for name, value in vars(owner).items()
        if isinstance(value, _NUMBERS) and not name.startswith("_")
    )
    return numbers, tuple(_place(variable) for variable in variables)


def _place(variable):
    tensor = _tensor(variable)
    return tensor.data_ptr(), tensor.requires_grad


def _tensor(variable):
    # A private name, as old as Keras 3; `value` takes ten times as long.
    tensor = getattr(variable, "_value", None)
    return variable.value if tensor is None else tensor

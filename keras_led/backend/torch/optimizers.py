"""Adam and AdamW by PyTorch's one kernel for them."""

import contextlib
import functools
import itertools
from typing import Any

import keras
import torch
from keras import ops

from keras_led.backend import optimizer_methods

# After so many steps its kernel corrects no bias: Keras does that to the rate.
_MANY_STEPS = 1e9


def updated_at_once(optimizer: Any) -> contextlib.AbstractContextManager[None]:
    optimizer = optimizer_methods.inner_optimizer(optimizer)
    known = optimizer_methods.is_known(optimizer, "apply", "update_step")
    if not known or not isinstance(optimizer, keras.optimizers.Adam):
        return contextlib.nullcontext()
    update = optimizer._parallel_update_step
    return optimizer_methods.replaced(
        optimizer,
        "_parallel_update_step",
        functools.partial(_update, optimizer, update),
    )


def _update(optimizer, update, gradients, variables, learning_rate):
    """Does `update(gradients, variables, learning_rate)`.

    Adam as Keras writes it: Kingma and Ba, 2014, "Adam: A method for
    stochastic optimization", the formulation before section 2.1.
    """
    places = [optimizer._get_variable_index(x) for x in variables]
    states = [optimizer._momentums, optimizer._velocities]
    if optimizer.amsgrad:
        states.append(optimizer._velocity_hats)
    weights = [variable.value for variable in variables]
    states = [[state[at].value for at in places] for state in states]
    if not all(map(_is_plain, itertools.chain(weights, *states))):
        return update(gradients, variables, learning_rate)
    momentums, velocities, *largest = states
    step = (optimizer.iterations + 1).float()
    unbiased = [1 - beta**step for beta in (optimizer.beta_1, optimizer.beta_2)]
    rate = ops.convert_to_tensor(learning_rate, "float32")
    rate = rate * unbiased[1] ** 0.5 / unbiased[0]
    torch._fused_adam_(  # pyright: ignore[reportPrivateImportUsage]
        weights,
        # The kernel takes numbers as they lie in memory.
        [gradient.contiguous() for gradient in gradients],
        momentums,
        velocities,
        largest[0] if largest else [],
        [torch.tensor(_MANY_STEPS)] * len(weights),
        lr=rate,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        weight_decay=0.0,
        eps=optimizer.epsilon,
        amsgrad=optimizer.amsgrad,
        maximize=False,
    )


def _is_plain(tensor):
    """Whether the kernel takes a tensor, as Keras would compute with it."""
    return (
        type(tensor) in (torch.Tensor, torch.nn.Parameter)
        and tensor.device.type == "cpu"
        and tensor.dtype == torch.float32
        and tensor.is_contiguous()
    )

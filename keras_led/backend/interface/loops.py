"""Loops and conditions."""

from collections.abc import Callable
from typing import Any

from keras_led.typing import Tensor

# Replaces slices of a tensor, one after another, by a function of them; `None`
# on TensorFlow, which stacks what a loop puts out sooner than it writes into a
# tensor. In a compiled program of JAX it works in the memory of its argument.
#
# Args: `function`, from a slice and where it starts, a tuple of an int32
# scalar for each axis, to a tensor of the shape and dtype of the slice; `x`, a
# tensor; `size`, the shape of a slice, ints. What a slice is too long for at
# the end of an axis stays as it is.
replace_slices: Callable[..., Any] | None


def step_numbers(count: int | Tensor) -> Any:
    """The numbers of the steps of a loop, for `scan`, from 0 to `count - 1`.

    An int32 tensor. On PyTorch a range: a number on a GPU would have to be
    waited for.
    """
    raise NotImplementedError


def scan(
    body: Callable[..., Any],
    carry: tuple[Any, ...],
    xs: tuple[Any, ...],
    dtype: str,
    outputs: int,
) -> tuple[Any, ...]:
    """Runs `body` once for each row of `xs`, one after another.

    Unlike `ops.scan`, what a run puts out may differ from what it hands on.

    Args:
        body: Callable from a tuple of tensors handed on and a tuple of rows
            to the next tuple to hand on, of the same shapes and dtypes, and a
            tuple of outputs.
        carry: Tuple of tensors handed to the first run.
        xs: Tuple of tensors of one length, or of `step_numbers`.
        dtype: str, of all outputs.
        outputs: int, how many there are.

    Returns:
        Tuple of what the last run handed on, and of the outputs, stacked.
    """
    raise NotImplementedError


def map_heads(
    function: Callable[..., Any], tensors: tuple[Any, ...], block: Any
) -> tuple[Any, ...]:
    """What `function` makes of the heads of an attention, each by itself.

    On a CPU PyTorch takes some heads at a time where the scores of all are so
    many that the system would clear memory for them anew.

    Args:
        function: Callable from the number of the call, an int, and tensors
            `(B, n, ...)` of some of the heads to a tuple of such tensors.
        tensors: Tuple of tensors `(B, N, ...)`: queries `(B, N, T, H)`, keys
            `(B, N, S, H)`, and others.
        block: int or int32 scalar, queries whose scores exist at a time, or
            `None` for all.

    Returns:
        Tuple of tensors of all heads.
    """
    raise NotImplementedError


def while_loop(
    condition: Callable[..., Any],
    body: Callable[..., Any],
    state: Any,
    constants: Any = (),
    recordable: bool = True,
) -> Any:
    """Runs `body` as long as `condition` holds.

    Args:
        condition: Callable from the state to a bool scalar tensor.
        body: Callable from the state and `constants` to the next state, of
            the same shapes and dtypes. It reads no other tensor than these
            and weights of the model.
        state: Pytree of tensors.
        constants: Pytree of tensors and static values that `body` reads.
        recordable: bool, `False` where `body` reads numbers of a tensor into
            Python, as the making of random numbers from a seed does on
            PyTorch, which records the other bodies.

    Returns:
        The last state.
    """
    raise NotImplementedError


def cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    """Runs one of two functions of the same tensors.

    Where a gradient is taken through them, see `recomputed_cond`.

    Args:
        predicate: Bool scalar tensor.
        true_function: Callable from tensors to a pytree of them.
        false_function: Callable likewise.
        operands: Tuple of float tensors, the arguments of both.

    Returns:
        What the chosen function returns.
    """
    raise NotImplementedError


def recomputed_cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    """`cond` with a gradient, of functions that may read weights.

    The gradient recomputes the branch that ran. `tf.cond` would hand its
    intermediates to the gradient's own `tf.cond`, which XLA cannot compile
    when they are the lists of a loop, and which would hold all scores; under
    JAX the condition would put out what the gradients of both branches need.
    """
    raise NotImplementedError


def shapes_may_vary() -> bool:
    """Whether the steps of a loop may work on tensors of different shapes.

    XLA compiles a loop for one shape.
    """
    raise NotImplementedError

"""Whole functions and training steps."""

import contextlib
from collections.abc import Callable
from typing import Any


def jit(
    function: Callable[..., Any],
    model: Any,
    large_products: bool = False,
    recordable: bool = False,
) -> Callable[..., Any]:
    """Compiles `function`, which reads the weights of `model`, for inference.

    A graph of TensorFlow refers to the weights by handle; a program of JAX
    takes them as arguments (constants would be copied into it, and a later
    change would go unseen); PyTorch runs without gradients, and on a GPU
    replays a recording.

    Args:
        function: Callable from tensors (or pytrees of them) to the same.
        model: The Keras model whose variables `function` reads.
        large_products: bool, whether `function` does little else than project
            whole documents; a hint for XLA under JAX.
        recordable: bool, whether `function` is nothing but operations on
            tensors, without a loop; a hint for PyTorch.

    Returns:
        A callable with the signature of `function`. It compiles once for each
        set of input shapes and always sees the current weights.
    """
    raise NotImplementedError


def without_gradients() -> contextlib.AbstractContextManager[None]:
    """Says of what runs, or is traced, within that no gradient is taken of it.

    So TensorFlow may take many rows in pieces, whose gradients would keep what
    each piece made; see `map_rows`.
    """
    raise NotImplementedError


def train_step(model: Any) -> Callable[..., Any] | None:
    """The training step of a compiled Keras model, where Keras' is slower.

    Under JAX, whose XLA needs options for large products on a CPU; and under
    PyTorch, which replays recorded steps, where `compile` is asked to.

    Args:
        model: LED model.

    Returns:
        Function with the arguments and results of `model.train_step`, or
        `None` where Keras has to make it.
    """
    raise NotImplementedError

"""Loops and conditions of TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import ops

from keras_led.backend.tensorflow.private_graph import runs_here
from keras_led.typing import Tensor

# TensorFlow stacks what a loop puts out sooner than it writes into a tensor.
replace_slices = None


def step_numbers(count: int | Tensor) -> Any:
    return ops.arange(count, dtype="int32")


def scan(
    body: Callable[..., Any],
    carry: tuple[Any, ...],
    xs: tuple[Any, ...],
    dtype: str,
    outputs: int,
) -> tuple[Any, ...]:
    length = tf.shape(xs[0])[0]
    rows = [tf.TensorArray(x.dtype, length).unstack(x) for x in xs]
    found = [tf.TensorArray(dtype, length) for _ in range(outputs)]

    def step(number, carry, found):
        carry, ys = body(carry, tuple(array.read(number) for array in rows))
        found = tuple(
            array.write(number, y) for array, y in zip(found, ys, strict=True)
        )
        return number + 1, tuple(carry), found

    _, carry, found = tf.while_loop(
        lambda number, *_: number < length,
        step,
        (0, tuple(map(tf.convert_to_tensor, carry)), tuple(found)),
        parallel_iterations=1,
    )
    return carry, tuple(array.stack() for array in found)


def map_heads(
    function: Callable[..., Any], tensors: tuple[Any, ...], block: Any
) -> tuple[Any, ...]:
    del block
    return function(0, *tensors)


def while_loop(
    condition: Callable[..., Any],
    body: Callable[..., Any],
    state: Any,
    constants: Any = (),
    recordable: bool = True,
) -> Any:
    del recordable
    return ops.while_loop(
        lambda *state: condition(state),
        lambda *state: body(state, constants),
        state,
    )


def shapes_may_vary() -> bool:
    return runs_here()


def cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:
    return tf.cond(
        predicate,
        lambda: true_function(*operands),
        lambda: false_function(*operands),
    )


def recomputed_cond(
    predicate: Tensor,
    true_function: Callable[..., Any],
    false_function: Callable[..., Any],
    operands: tuple[Any, ...],
) -> Any:

    @tf.custom_gradient
    def run(*operands):
        def backward(grad_output, variables=None):
            sources = [*operands, *(variables or [])]

            def gradients(function):
                with tf.GradientTape() as tape:
                    tape.watch(operands)
                    output = function(*operands)
                return tape.gradient(
                    output,
                    sources,
                    grad_output,
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )

            found = tf.cond(
                predicate,
                lambda: gradients(true_function),
                lambda: gradients(false_function),
            )
            to_operands = found[: len(operands)]
            if variables is None:
                return to_operands
            return to_operands, found[len(operands) :]

        output = cond(predicate, true_function, false_function, operands)
        return output, backward

    return run(*operands)

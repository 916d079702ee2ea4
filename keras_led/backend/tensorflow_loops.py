"""Loops and conditions of TensorFlow."""

import tensorflow as tf
from keras import ops

# TensorFlow stacks what a loop puts out sooner than it writes into a tensor.
replace_slices = None


def scan(body, carry, xs, dtype, outputs):
    """Runs `body` once for each row of `xs`, one after another.

    Unlike `ops.scan`, what a run puts out may differ from what it hands on.

    Args:
        body: Callable from a tuple of tensors handed on and a tuple of rows
            to the next tuple to hand on, of the same shapes and dtypes, and a
            tuple of outputs.
        carry: Tuple of tensors handed to the first run.
        xs: Tuple of tensors of one length.
        dtype: str, of all outputs.
        outputs: int, how many there are.

    Returns:
        Tuple of what the last run handed on, and of the outputs, stacked.
    """
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


def while_loop(condition, body, state, constants=(), recordable=True):
    """Runs `body` as long as `condition` holds.

    Args:
        condition: Callable from the state to a bool scalar tensor.
        body: Callable from the state and `constants` to the next state, of
            the same shapes and dtypes.
        state: Pytree of tensors.
        constants: Pytree of tensors and static values that `body` reads.
        recordable: bool, for PyTorch; ignored here.

    Returns:
        The last state.
    """
    del recordable
    return ops.while_loop(
        lambda *state: condition(state),
        lambda *state: body(state, constants),
        state,
    )


def cond(predicate, true_function, false_function, operands):
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
    return tf.cond(
        predicate,
        lambda: true_function(*operands),
        lambda: false_function(*operands),
    )


def recomputed_cond(predicate, true_function, false_function, operands):
    """`cond` with a gradient, of functions that may read weights.

    The gradient recomputes the branch that ran. `tf.cond` would hand its
    intermediates to the gradient's own `tf.cond`, which XLA cannot compile
    when they are the lists of a loop, and which would hold all scores.
    """

    @tf.custom_gradient
    def run(*operands):
        def backward(upstream, variables=None):
            sources = [*operands, *(variables or [])]

            def gradients(function):
                with tf.GradientTape() as tape:
                    tape.watch(operands)
                    output = function(*operands)
                return tape.gradient(
                    output,
                    sources,
                    upstream,
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

"""What TensorFlow computes by oneDNN.

By default that are products, on processors with AVX-512 VNNI or newer; on
others, and with `TF_ENABLE_ONEDNN_OPTS=0`, Eigen computes them, which copies a
wide transposed matrix.
"""

import functools

import numpy as np
import tensorflow as tf

from keras_led.typing import Tensor


@functools.cache
def multiplies() -> bool:
    """Whether oneDNN computes products here; `False` where nobody can say."""
    try:
        # A private name, which TensorFlow's own tests ask.
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return False
    return bool(getattr(_pywrap_util_port, "IsMklEnabled", bool)())


def int8_product(x: Tensor, kernel: Tensor) -> Tensor:
    """`x @ kernel` in a graph, where `multiplies_int8`.

    The first feed-forward product of led-base, 4,096 tokens, took 60 ms so and
    185 ms in float32 (one core of an AMD EPYC).

    Args:
        x: Int8 tensor of shape `(M, I)`.
        kernel: Int8 tensor of shape `(I, O)`.

    Returns:
        Float32 tensor of shape `(M, O)`.
    """
    # Private names: TensorFlow puts this operation into graphs that other
    # tools have quantized.
    from tensorflow.python.framework import op_def_library

    one_step = [-127.0, 127.0]
    (product,), _ = op_def_library.apply_op(
        "_QuantizedMatMul",
        name="int8_product",
        device_inputs=[
            tf.bitcast(x, tf.qint8),
            tf.bitcast(kernel, tf.qint8),
            tf.zeros(kernel.shape[1]),
        ],
        host_inputs=[tf.constant(end) for end in 2 * one_step],
        Tdevice_outputs=[tf.float32],
        Thost_outputs=[],
        T1=tf.qint8,
        T2=tf.qint8,
        Tbias=tf.float32,
        U=tf.float32,
        Tout=tf.float32,
        transpose_a=False,
        transpose_b=False,
        is_weight_const=False,  # a copy of it would be kept
        is_bias_const=False,
        fused_ops=["BiasAdd", "Dequantize"],
        leakyrelu_alpha=0.2,  # of another fusion, and without a default
        input_quant_mode="SCALED",
        output_quant_mode="SCALED",
    )
    return product


@functools.cache
def multiplies_int8() -> bool:
    """Whether `int8_product` is there, and the largest sums do not overflow."""
    if not multiplies():
        return False
    x, kernel = (
        np.full((70, 256), 127, "int8"),
        np.full((256, 64), -127, "int8"),
    )
    with tf.init_scope():
        run = tf.function(int8_product, autograph=False)
        try:
            found = [
                run(tf.constant(x[:n]), tf.constant(kernel)) for n in (1, 70)
            ]
        except (ImportError, TypeError, ValueError, tf.errors.OpError):
            return False
    return all(bool((sums.numpy() == -(127**2) * 256).all()) for sums in found)

"""A decoder's weights, laid out once for all the steps of a decoding.

The copy costs as much as two or three tokens gain, and holds the weights once
more until the last token. So they are laid out only where a step reads more of
them than of the document: led-base gains 7 % at 4,096 tokens, and would gain
4 % at 16,384 for a tenth of the memory of the process. The table of tokens
gains least and is the largest matrix: it stays as it is.
"""

import contextlib
import contextvars
import math

import keras
from keras import ops

from keras_led import backend
from keras_led.backend.packing import FEW_ROWS
from keras_led.backend.packing import pack_columns
from keras_led.backend.packing import packed_product

_packed = contextvars.ContextVar("packed_weights", default=None)


def pack_weights(layers, rows, document=()):
    """Lays out the matrices of layers for products with few rows.

    Args:
        layers: List of `Dense` layers. Quantized ones keep their own products.
        rows: int or int32 scalar tensor, rows of each product.
        document: Pytree of the other tensors that each step reads.

    Returns:
        Tuple of float tensors for `packed_weights`; empty where whole
        matrices are as fast.
    """
    few = isinstance(rows, int) and rows <= FEW_ROWS
    if not few or backend.columns_of_chunk() is None:
        return ()
    layers = _plain(layers)
    kernels = [layer.kernel for layer in layers]
    if _size(keras.tree.flatten(document)) > _size(kernels):
        return ()
    return tuple(
        pack_columns(ops.cast(kernel, layer.compute_dtype))
        for kernel, layer in zip(kernels, layers, strict=True)
    )


@contextlib.contextmanager
def packed_weights(layers, tensors):
    """Lets the layers called inside read their packed weights.

    Args:
        layers: the layers that `pack_weights` got.
        tensors: what it returned.
    """
    pairs = zip(_plain(layers), tensors, strict=True) if tensors else ()
    token = _packed.set({id(layer): tensor for layer, tensor in pairs})
    try:
        yield
    finally:
        _packed.reset(token)


def packed_kernel(layer):
    """The packed weights of a layer, `None` outside `packed_weights`."""
    return (_packed.get() or {}).get(id(layer))


def packed_linear(x, packed, columns):
    """`x @ kernel` with a packed kernel.

    Args:
        x: Float tensor of shape `(..., D)`.
        packed: Float tensor, the kernel `(D, V)` packed by its columns.
        columns: int, `V`.

    Returns:
        Float tensor of shape `(..., V)`, or `None` where `x` has so many rows
        that the whole kernel is better, or it is not known how many.
    """
    *outer, inner = x.shape
    if None in outer or math.prod(outer) > FEW_ROWS:
        return None
    rows = ops.reshape(x, (math.prod(outer), inner))
    return ops.reshape(packed_product(rows, packed, columns), (*outer, columns))


def _size(tensors):
    """How many numbers; axes of unknown length count as one."""
    return sum(math.prod(axis or 1 for axis in x.shape) for x in tensors)


def _plain(layers):
    return [layer for layer in layers if layer.quantization_mode is None]

"""A decoder's weights, laid out once for all the steps of a decoding.

The copy costs as much as two or three tokens gain, and holds the weights once
more until the last token. The table of tokens gains least and is the largest
matrix: it stays as it is.
"""

import contextlib
import contextvars
import math

from keras import ops

from keras_led import backend
from keras_led.backend.packing import FEW_ROWS
from keras_led.backend.packing import pack_columns
from keras_led.backend.packing import packed_product

_packed = contextvars.ContextVar("packed_weights", default=None)


def pack_weights(layers, rows):
    """Lays out the matrices of layers for products with few rows.

    Args:
        layers: List of `Dense` layers. Quantized ones keep their own products.
        rows: int or int32 scalar tensor, rows of each product.

    Returns:
        Tuple of float tensors for `packed_weights`; empty where whole
        matrices are as fast.
    """
    few = isinstance(rows, int) and rows <= FEW_ROWS
    if not few or backend.columns_of_chunk() is None:
        return ()
    return tuple(
        pack_columns(ops.cast(layer.kernel, layer.compute_dtype))
        for layer in _plain(layers)
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


def _plain(layers):
    return [layer for layer in layers if layer.quantization_mode is None]

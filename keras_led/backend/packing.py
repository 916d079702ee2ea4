"""Matrices laid out for the products of decoding, which have few rows.

TensorFlow's product copies a wide matrix before it reads it, and reads a
narrow one where it lies. So a wide matrix is cut into chunks of a few columns,
once for all steps of a decoding: `(..., D, V)` becomes `(..., C, D, K)`, `C`
chunks of `K` columns, the last one filled up with zeros.
"""

from keras import ops

from keras_led import backend

# For more rows than these, a product of the whole matrix is as fast.
FEW_ROWS = 16


def pack_columns(matrix):
    """Cuts `(..., D, V)` into chunks of its columns, `(..., C, D, K)`.

    Only where `backend.columns_of_chunk()` is a number.
    """
    size = backend.columns_of_chunk()
    *outer, inner, columns = ops.shape(matrix)
    matrix = _fill(matrix, -1, columns, size)
    matrix = ops.reshape(matrix, (*outer, inner, -1, size))
    return _swap(matrix, -3, -2)


def pack_rows(matrix):
    """Cuts the transpose of `(..., V, D)` into chunks, `(..., C, D, K)`.

    Only where `backend.columns_of_chunk()` is a number.
    """
    size = backend.columns_of_chunk()
    *outer, rows, inner = ops.shape(matrix)
    matrix = _fill(matrix, -2, rows, size)
    matrix = ops.reshape(matrix, (*outer, -1, size, inner))
    return _swap(matrix, -2, -1)


def packed_product(x, packed, columns):
    """`(..., M, D)` times what was `(..., D, V)`, `(..., M, V)`.

    Args:
        x: Float tensor of shape `(..., M, D)`.
        packed: Float tensor of shape `(..., C, D, K)`.
        columns: int or int32 scalar tensor, `V`, without the filling.
    """
    product = ops.matmul(ops.expand_dims(x, -3), packed)  # (..., C, M, K)
    product = _swap(product, -3, -2)
    *outer, chunks, size = ops.shape(product)
    product = ops.reshape(product, (*outer, chunks * size))
    if isinstance(columns, int) and product.shape[-1] == columns:
        return product
    return product[..., :columns]


def unpack_rows(packed, rows):
    """Takes `(..., C, D, K)` back to the `(..., V, D)` of `pack_rows`."""
    matrix = _swap(packed, -2, -1)
    *outer, chunks, size, inner = ops.shape(matrix)
    return ops.reshape(matrix, (*outer, chunks * size, inner))[..., :rows, :]


def _fill(matrix, axis, length, size):
    missing = -length % size
    if isinstance(missing, int) and not missing:
        return matrix
    amounts = [(0, 0)] * len(matrix.shape)
    amounts[axis] = (0, missing)
    return ops.pad(matrix, amounts)


def _swap(x, first, second):
    axes = list(range(len(x.shape)))
    axes[first], axes[second] = axes[second], axes[first]
    return backend.transpose(x, axes)

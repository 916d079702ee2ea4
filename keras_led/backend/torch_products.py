"""Products of PyTorch with matrices of weights, and rows of them.

With few rows, as in decoding, a product does little but read the weights. MKL,
where oneDNN is no better, does not share such a product out well among its
threads: it read them at 5 to 8 GB/s, where the memory gives 25 (four
rows, float32, two cores of an AMD EPYC). Cut into parts it reads twice as fast.
"""

import torch
from keras import ops

from keras_led.backend import torch_onednn

FEW_ROWS = 8
# Parts that the rows of a kernel are summed up in.
PARTS = 8
# Rows of a table that are read at once.
TABLE_ROWS = 4096
# Rows that `map_rows` hands on at a time: 13 MB within led-base's feed-forward
# block in float32.
MAPPED_ROWS = 1024


def linear(x, kernel, bias):
    """`x @ kernel + bias`, over the last axis of `x`.

    Args:
        x: Float tensor of shape `(..., I)`.
        kernel: Float tensor or variable of shape `(I, O)`.
        bias: Float tensor or variable of shape `(O,)`, or `None`.

    Returns:
        Tensor of shape `(..., O)`.
    """
    kernel = ops.convert_to_tensor(kernel)
    bias = None if bias is None else ops.convert_to_tensor(bias)
    if torch_onednn.takes(x, kernel):
        return torch_onednn.product(x, kernel, bias)
    inner, outer = kernel.shape
    if inner % PARTS or not _has_few_rows(x):
        return torch.nn.functional.linear(x, kernel.t(), bias)
    rows = x.reshape(-1, PARTS, inner // PARTS).transpose(0, 1)
    parts = torch.bmm(rows, kernel.reshape(PARTS, inner // PARTS, outer))
    product = parts.sum(0)
    if bias is not None:
        product += bias
    return product.reshape(*x.shape[:-1], outer)


def map_rows(function, x, *others):
    """`function` of the rows of matrices, as `jax_products.map_rows`.

    On a CPU and without gradients some rows at a time, so that what it makes
    on the way is small: the system hands out pieces above 32 MB page by page
    in every call (14 % of the time of led-base's encoder, 16,384 tokens,
    where every operation on all rows made one). For the same reason results
    take the memory of the last of `others`, if they fit.
    """
    few = x.shape[0] <= MAPPED_ROWS
    if few or x.device.type != "cpu" or torch.is_grad_enabled():
        return function(x, *others)
    mapped = others[-1] if others else x
    if mapped is x or (mapped.shape, mapped.dtype) != (x.shape, x.dtype):
        mapped = torch.empty_like(x)
    pieces = (matrix.split(MAPPED_ROWS) for matrix in (mapped, x, *others))
    for piece, *rows in zip(*pieces, strict=True):
        piece.copy_(function(*rows))
    return mapped


def gelu(x):
    """The exact one, with erf, without gradients in the memory of `x`.

    Args:
        x: Float tensor, not to be read any more.
    """
    if torch.is_grad_enabled():
        return torch.nn.functional.gelu(x)
    return torch.ops.aten.gelu_(x)


def scale_rows(x, factors):
    """`x * factors`, without gradients in the memory of `x`.

    Args:
        x: Float tensor, not to be read any more.
        factors: Tensor of a shape that broadcasts to that of `x`.
    """
    return x * factors if torch.is_grad_enabled() else x.mul_(factors)


def write_rows(x, indices, rows):
    """`x` with other rows, without gradients in the memory of `x`.

    Args:
        x: Float tensor of shape `(R, D)`, not to be read any more.
        indices: Int32 tensor of shape `(G,)`.
        rows: Float tensor of shape `(G, D)`.
    """
    if torch.is_grad_enabled():
        return x.index_copy(0, indices.long(), rows)
    return x.index_copy_(0, indices.long(), rows)


def table_product(x, table):
    """`x @ table^T`: the likeness of hidden states to each row of a table.

    Args:
        x: Float tensor of shape `(..., D)`.
        table: Float tensor of shape `(V, D)`.

    Returns:
        Tensor of shape `(..., V)`.
    """
    if torch_onednn.takes(x, table):
        return torch_onednn.product(x, table.t())
    if not _has_few_rows(x):
        return torch.matmul(x, table.t())
    columns = x.reshape(-1, x.shape[-1]).t()
    parts = [rows @ columns for rows in table.split(TABLE_ROWS)]
    return torch.cat(parts).t().reshape(*x.shape[:-1], table.shape[0])


def look_up(table, ids):
    """Reads rows of a table, as `tensorflow_products.look_up`."""
    return _LookUp.apply(table, ids)


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, table, ids):
        ctx.save_for_backward(ids)
        return torch.nn.functional.embedding(ids, table), table.view_as(table)

    @staticmethod
    def backward(ctx, by_rows, by_table):
        (ids,) = ctx.saved_tensors
        rows = by_rows.flatten(0, -2)
        if torch.is_grad_enabled() or not by_table.is_contiguous():
            return by_table.index_add(0, ids.flatten(), rows), None
        # It was made for this function: nothing else reads it.
        return by_table.index_add_(0, ids.flatten(), rows), None


def columns_of_chunk():
    """`None`: a product with few rows reads a wide matrix where it lies."""


def _has_few_rows(x):
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and x.numel() <= FEW_ROWS * x.shape[-1]
    )

"""Products of PyTorch with matrices of weights, and rows of them.

With few rows, as in decoding, a product does little but read the weights. MKL,
where oneDNN is no better, does not share such a product out well among its
threads: it read them at 5 to 8 GB/s, where the memory gives 25 (four
rows, float32, two cores of an AMD EPYC). Cut into parts it reads twice as fast.
"""

from collections.abc import Callable
from typing import Any

import torch
from keras import ops

from keras_led.backend.torch import int8
from keras_led.backend.torch import onednn
from keras_led.backend.torch import workspace
from keras_led.backend.torch.seeds import as_seed
from keras_led.backend.torch.tensors import as_tensor
from keras_led.typing import Tensor

FEW_ROWS = 8
# Numbers of a matrix that stay in the cache, where parts only cost operations.
FEW_WEIGHTS = 2**16
# Parts that the rows of a kernel are summed up in.
PARTS = 8
# Rows of a table that are read at once.
TABLE_ROWS = 4096
# Rows that `map_rows` hands on at a time: 13 MB within led-base's feed-forward
# block in float32.
MAPPED_ROWS = 1024
# Times as wide as its rows is what a feed-forward block makes of them.
WIDENED = 4


def linear(x: Tensor, kernel: Any, bias: Any) -> Tensor:
    kernel = as_tensor(kernel)
    bias = None if bias is None else as_tensor(bias)
    if onednn.takes(x, kernel):
        return onednn.product(x, kernel, bias)
    inner, outer = kernel.shape
    if inner % PARTS or not _read_in_parts(x, kernel):
        return torch.nn.functional.linear(x, kernel.t(), bias)
    rows = x.reshape(-1, PARTS, inner // PARTS).transpose(0, 1)
    parts = torch.bmm(rows, kernel.reshape(PARTS, inner // PARTS, outer))
    product = parts.sum(0)
    if bias is not None:
        product += bias
    return product.reshape(*x.shape[:-1], outer)


def multiplies_int8(x: Tensor) -> bool:
    return x.device.type != "cpu" or int8.is_exact()


def int8_product(x: Tensor, kernel: Any) -> Tensor:
    if x.device.type != "cpu":
        return ops.cast(ops.matmul(x.to(torch.int8), kernel), "float32")
    product = int8.product(x.reshape(-1, x.shape[-1]), kernel)
    return product.reshape(*x.shape[:-1], product.shape[-1])


def map_rows(
    function: Callable[..., Any], seed: Any, x: Tensor, *others: Any
) -> Tensor:
    """In pieces, for tensors that the C library keeps for the next ones.

    The system hands out those above 32 MB page by page in every call (14 % of
    the time of led-base's encoder, 16,384 tokens, where every operation on all
    rows made one). For the same reason results take the memory of the last of
    `others`, if they fit and no gradient is taken.
    """
    if x.device.type != "cpu":
        return function(seed, x, *others)
    if seed is not None or torch.is_grad_enabled():
        return _join_rows(function, seed, x, *others)
    if x.shape[0] <= MAPPED_ROWS:
        return function(None, x, *others)
    mapped = others[-1] if others else x
    if mapped is x or (mapped.shape, mapped.dtype) != (x.shape, x.dtype):
        mapped = torch.empty_like(x)
    pieces = (matrix.split(MAPPED_ROWS) for matrix in (mapped, x, *others))
    for piece, *rows in zip(*pieces, strict=True):
        piece.copy_(function(None, *rows))
    return mapped


def _join_rows(function, seed, *matrices):
    """The rows of all pieces, each with noise of its own."""
    rows, width = matrices[0].shape
    bytes_of_row = max(1, WIDENED * width * matrices[0].element_size())
    size = max(1, workspace.LARGEST_KEPT // bytes_of_row)
    if rows <= size:
        return function(seed, *matrices)
    found = []
    pieces = zip(*(x.split(size) for x in matrices), strict=True)
    for number, parts in enumerate(pieces):
        noise = None if seed is None else as_seed(seed).fold_in(number)
        found.append(function(noise, *parts))
    return torch.cat(found)


def gelu_(x: Tensor) -> Tensor:
    if torch.is_grad_enabled():
        return torch.nn.functional.gelu(x)
    return torch.ops.aten.gelu_(x)


def scale_rows_(x: Tensor, factors: Tensor) -> Tensor:
    return x * factors if torch.is_grad_enabled() else x.mul_(factors)


def write_rows_(x: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    if torch.is_grad_enabled():
        return x.index_copy(0, indices.long(), rows)
    return x.index_copy_(0, indices.long(), rows)


def table_product(x: Tensor, table: Any) -> Tensor:
    if onednn.takes(x, table):
        return onednn.product(x, table.t())
    if not _read_in_parts(x, table):
        return torch.matmul(x, table.t())
    columns = x.reshape(-1, x.shape[-1]).t()
    parts = [rows @ columns for rows in table.split(TABLE_ROWS)]
    return torch.cat(parts).t().reshape(*x.shape[:-1], table.shape[0])


def look_up(table: Any, ids: Tensor) -> tuple[Any, ...]:
    return _LookUp.apply(table, ids)


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, table, ids):
        ctx.save_for_backward(ids)
        return torch.nn.functional.embedding(ids, table), table.view_as(table)

    @staticmethod
    def backward(ctx, grad_rows, grad_table):
        (ids,) = ctx.saved_tensors
        rows = grad_rows.flatten(0, -2)
        if torch.is_grad_enabled() or not grad_table.is_contiguous():
            return grad_table.index_add(0, ids.flatten(), rows), None
        # It was made for this function: nothing else reads it.
        return grad_table.index_add_(0, ids.flatten(), rows), None


def weighted_sum(weights: Tensor, value: Tensor) -> Tensor:
    return ops.matmul(weights, value)


def packed_chunk_columns() -> int | None:
    return None


def _read_in_parts(x, matrix):
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and x.numel() <= FEW_ROWS * x.shape[-1]
        and matrix.numel() > FEW_WEIGHTS
    )

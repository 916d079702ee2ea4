"""The products of windowed attention, as PyTorch runs them fastest."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from keras_led.backend.torch import onednn
from keras_led.backend.torch import workspace
from keras_led.backend.torch.products import MAPPED_ROWS
from keras_led.backend.torch.shapes import read_int
from keras_led.backend.torch.tensors import as_tensor
from keras_led.typing import Tensor

# From so many scores of a head on, they are worth not to be held. A gradient
# would keep them, and read them six times.
MANY_SCORES = 2**16
MANY_DERIVED_SCORES = 2**12


def map_operands(function: Callable[..., Any], x: Tensor) -> tuple[Any, ...]:
    """In pieces, into memory that the layers share."""
    small = x.nbytes <= workspace.ASKED_FOR or x.device.type != "cpu"
    if small or torch.is_grad_enabled() or not workspace.is_shared():
        return function(x)
    batch, length, _ = x.shape
    size = max(1, MAPPED_ROWS // batch)
    operands = None
    for start in range(0, length, size):
        parts = function(x[:, start : start + size])
        operands = operands or tuple(_buffers(parts, length))
        for operand, part in zip(operands, parts, strict=True):
            operand[:, :, start : start + size] = part
    return operands  # pyright: ignore[reportReturnType]


def _buffers(parts, length):
    """Memory for query, key and value, each as the attention reads it."""
    for name, part in zip(("query", "key", "value"), parts, strict=True):
        batch, num_heads, _, head_dim = part.shape
        if name == "query":  # of all heads together
            shape = (batch, length, num_heads, head_dim)
            yield workspace.take(name, shape, part).transpose(1, 2)
        else:
            shape = (batch, num_heads, length, head_dim)
            yield workspace.take(name, shape, part)


def spans(x: Tensor, positions: Tensor | None = None) -> Callable[..., Any]:

    x = as_tensor(x)
    beside = None if positions is None else take_keys(x, positions)

    def read(starts, size, heads=None, joined=False):
        del joined  # products read one tensor as fast
        chosen = _of_heads(x, heads)
        if starts.shape[0] == 1:
            found = chosen.narrow(2, read_int(starts[0]), size)[:, :, None]
        else:
            rows = starts[:, None] + torch.arange(size, device=x.device)
            found = chosen[:, :, rows]
        if beside is None:
            return (found,)
        shape = (*found.shape[:3], *beside.shape[2:])
        first = _of_heads(beside, heads)[:, :, None].expand(shape)
        return (torch.cat([first, found], dim=3),)

    return read


def _of_heads(x, heads):
    return x if heads is None else x.narrow(1, read_int(heads[0]), heads[1])


# Of keys for `attend`, which reads them as it reads values.
key_spans = spans


def scores(query: Tensor, key: Tensor, bias: Tensor, scale: float) -> Tensor:
    products = times_transposed(query * scale, key)
    return products.float().add_(bias)


def attend(
    query: Tensor,
    keys: tuple[Any, ...],
    values: tuple[Any, ...],
    bias: Tensor,
    scale: float,
) -> Tensor:
    """By PyTorch's own kernel, which holds no scores, where that is fastest.

    On a CPU it is slower than products and a softmax in bfloat16, and where
    oneDNN multiplies faster than MKL, which the kernel calls.
    """
    (key,), (value,) = keys, values
    bias = _as(query, bias)
    if query.device.type == "cpu" and query.dtype != torch.float32:
        # The bias is 0 for whatever counts, and the softmax adds in float32.
        products = times_transposed(query * scale, key).add_(bias)
        return _softmax(products) @ value
    if onednn.takes(query, key):
        return _attend_by_head(query * scale, key, value, bias)
    return _by_kernel(query, key, value, bias, scale)


def fused_attention(
    query: Tensor, value: Tensor
) -> Callable[..., Tensor] | None:
    if value.device.type != "cpu" or value.dtype != torch.float32:
        return None
    derived = query.requires_grad or value.requires_grad
    derived = derived and torch.is_grad_enabled()
    worth_it = MANY_DERIVED_SCORES if derived else MANY_SCORES
    return _fused if query.shape[2] * value.shape[2] >= worth_it else None


def _fused(query, key, value, bias):
    if bias is not None and torch.is_grad_enabled():
        # Of a row that keeps no key, whose weights are equal whatever its
        # scores, the kernel would derive weights of 1: the sum that it divides
        # by is lost beside so low a bias.
        keeps_some = bias.amax(dim=-1, keepdim=True) == 0
        query, bias = query * keeps_some, bias * keeps_some
    return scaled_dot_product_attention(
        query, key, value, attn_mask=bias, scale=1.0
    )


def attend_gradients() -> Callable[..., Any] | None:
    return _gradients_of_kernel if torch.cuda.is_available() else None


def _gradients_of_kernel(query, keys, values, bias, scale, grad_output):
    operands = (query, *keys, *values)
    operands = [x.detach().requires_grad_() for x in operands]
    with torch.enable_grad():
        context = _by_kernel(*operands, _as(query, bias), scale)  # pyright: ignore[reportCallIssue]
    return torch.autograd.grad(context, operands, grad_output)


def _by_kernel(query, key, value, bias, scale):
    """PyTorch's own attention, which knows four axes: blocks are documents."""
    batch, _, blocks = query.shape[:3]
    query, key, value, bias = (
        x.transpose(1, 2).flatten(0, 1) for x in (query, key, value, bias)
    )
    context = scaled_dot_product_attention(
        query, key, value, attn_mask=bias, scale=scale
    )
    return context.unflatten(0, (batch, blocks)).transpose(1, 2)


def _as(query, bias):
    """`bias` in the dtype of `query`."""
    if query.dtype == torch.float16:  # too narrow: infinity would give NaN
        bias = bias.clamp(min=torch.finfo(torch.float16).min / 2)
    return bias.to(query.dtype)


def _attend_by_head(query, key, value, bias):
    """Attention by products of matrices, the only ones oneDNN is there for.

    The scores of one head stay in the cache (led-base, 4,096 tokens, two cores
    of an AMD EPYC: 61 ms a layer, 100 with PyTorch's own kernel).
    """
    # Of rows apart from one another oneDNN would make a copy at best.
    query, key, value = (x.contiguous() for x in (query, key, value))
    heads = query.shape[:3]
    bias = bias.expand(*heads, -1, -1)
    context = torch.empty_like(query)
    for head in itertools.product(*map(range, heads)):
        scores = onednn.product(query[head], key[head].t())
        weights = _softmax(scores.add_(bias[head]))
        context[head] = onednn.product(weights, value[head])
    return context


def _softmax(x):
    """Of the last axis, without gradients in the memory of `x`.

    With a second tensor of that size the C library gave memory back after
    each step, and the system had to clear it for the next: a quarter of
    led-base's encoder in bfloat16, 4,096 tokens.
    """
    if torch.is_grad_enabled():
        return torch.softmax(x, dim=-1)
    return torch.softmax(x, dim=-1, out=x)


def times(x: Tensor, y: Tensor) -> Tensor:
    return x @ y


def times_transposed(x: Tensor, y: Tensor) -> Tensor:
    return x @ y.transpose(-1, -2)


def take_keys(x: Tensor, positions: Tensor) -> Tensor:
    positions = as_tensor(positions).long()
    return torch.take_along_dim(
        as_tensor(x), positions[:, None, :, None], dim=2
    )

"""Messages between the processes of a group, with their gradients.

Outside of the shards all processes compute the same, and each has the whole
gradient. In a shard the gradient of what is equal everywhere is a part of the
whole, as on JAX: sums are the gradients of sums.
"""

from typing import Any

import torch
from torch import distributed

from keras_led.typing import Tensor


class Enter(torch.autograd.Function):
    """Tensors that are whole everywhere, into the shards.

    All in one, so that their gradients travel in one message.
    """

    @staticmethod
    def forward(ctx, group, *tensors):
        ctx.group = group
        return tuple(x.view_as(x) for x in tensors)

    @staticmethod
    def backward(ctx, *grads):
        flat = torch.cat([x.reshape(-1).float() for x in grads])
        distributed.all_reduce(flat, group=ctx.group)
        parts = flat.split([x.numel() for x in grads])
        return None, *(
            part.view(x.shape).to(x.dtype)
            for part, x in zip(parts, grads, strict=True)
        )


class Leave(torch.autograd.Function):
    """What is equal in all shards, out of them."""

    @staticmethod
    def forward(ctx, group, x):
        ctx.size = group.size()
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return None, grad / ctx.size


class Cut(torch.autograd.Function):
    """The part of this process of a tensor that is whole everywhere."""

    @staticmethod
    def forward(ctx, group, x, axis):
        ctx.group, ctx.axis, ctx.length = group, axis, x.shape[axis]
        return cut(group, x, axis)

    @staticmethod
    def backward(ctx, grad):
        return None, join(ctx.group, grad, ctx.axis, ctx.length), None


class Join(torch.autograd.Function):
    """The whole tensor, everywhere, of the parts of all processes."""

    @staticmethod
    def forward(ctx, group, x, axis, length):
        ctx.group, ctx.axis = group, axis
        return join(group, x, axis, length)

    @staticmethod
    def backward(ctx, grad):
        return None, cut(ctx.group, grad, ctx.axis), None, None


class Sum(torch.autograd.Function):
    """The sum over all processes, in each of them."""

    @staticmethod
    def forward(ctx, group, x):
        ctx.group = group
        return total(group, x)

    @staticmethod
    def backward(ctx, grad):
        return None, total(ctx.group, grad)


class Gather(torch.autograd.Function):
    """Tensors of all processes on a new first axis, in each of them."""

    @staticmethod
    def forward(ctx, group, x):
        ctx.group = group
        return gather(group, x)

    @staticmethod
    def backward(ctx, grad):
        return None, total(ctx.group, grad)[ctx.group.rank()]


class Halo(torch.autograd.Function):
    """What others have next to a part, zeros at the ends of the whole."""

    @staticmethod
    def forward(ctx, group, x, width, axis):
        length = x.shape[axis]
        # Of the next neighbors, those after them, and so on.
        sizes = [
            min(length, width - hop * length)
            for hop in range(group.size() - 1)
            if hop * length < width
        ]
        ctx.group, ctx.axis, ctx.sizes, ctx.length = group, axis, sizes, length
        ctx.missing = width - sum(sizes)  # wider than the whole
        edges = [
            (x.narrow(axis, 0, size), x.narrow(axis, length - size, size))
            for size in sizes
        ]
        before, behind = exchange(group, edges)
        shape = (*x.shape[:axis], ctx.missing, *x.shape[axis + 1 :])
        beyond = x.new_zeros(shape)
        return (
            torch.cat([beyond, *reversed(before)], axis),
            torch.cat([*behind, beyond], axis),
        )

    @staticmethod
    def backward(ctx, grad_before, grad_behind):
        axis, sizes = ctx.axis, ctx.sizes
        _, *before = grad_before.split([ctx.missing, *reversed(sizes)], axis)
        *behind, _ = grad_behind.split([*sizes, ctx.missing], axis)
        edges = list(zip(reversed(before), behind, strict=True))
        # Of what the others have read here: first those before, at the start.
        starts, ends = exchange(ctx.group, edges)
        shape = list(grad_before.shape)
        shape[axis] = ctx.length
        grad = grad_before.new_zeros(shape)
        for size, start, end in zip(sizes, starts, ends, strict=True):
            grad.narrow(axis, 0, size).add_(start)
            grad.narrow(axis, ctx.length - size, size).add_(end)
        return None, grad, None, None


def cut(group: Any, x: Tensor, axis: int) -> Tensor:
    """A copy of the part of this process, with zeros behind the last token."""
    size = -(-x.shape[axis] // group.size())
    start = min(group.rank() * size, x.shape[axis])
    part = x.narrow(axis, start, min(size, x.shape[axis] - start))
    missing = size - part.shape[axis]
    shape = (*x.shape[:axis], missing, *x.shape[axis + 1 :])
    return torch.cat([part, x.new_zeros(shape)], axis)


def join(group: Any, x: Tensor, axis: int, length: int) -> Tensor:
    """The parts of all processes, without the zeros behind `length`."""
    # For one document nothing is copied.
    whole = gather(group, x).movedim(0, axis).flatten(axis, axis + 1)
    return whole.narrow(axis, 0, length)


def gather(group: Any, x: Tensor) -> Tensor:
    """`x` of all processes, on a new first axis."""
    found = x.new_empty((group.size(), *x.shape))
    distributed.all_gather(list(found), x.contiguous(), group=group)
    return found


def total(group: Any, x: Tensor) -> Tensor:
    """The sum of all processes' float tensors.

    In float32 whatever the policy: the parts of many lose digits.
    """
    found = x.to(torch.float32, copy=True).contiguous()
    distributed.all_reduce(found, group=group)
    return found.to(x.dtype)


def exchange(
    group: Any, edges: list[tuple[Tensor, Tensor]]
) -> tuple[list[Tensor], list[Tensor]]:
    """Sends tensors to neighbors, next ones first, and gets theirs.

    Args:
        group: `ProcessGroup`.
        edges: List of one pair for each number of hops, for who is so many
            before and behind.

    Returns:
        Pair of lists, what came from those before, and from those behind;
        zeros where there are none.
    """
    operations = []
    found = [], []
    for hop, (first, last) in enumerate(edges, 1):
        for kept, step, sent in (
            (found[0], -hop, first),
            (found[1], hop, last),
        ):
            received = torch.zeros_like(
                sent, memory_format=torch.contiguous_format
            )
            kept.append(received)
            rank = group.rank() + step
            if not 0 <= rank < group.size():
                continue
            peer = distributed.get_global_rank(group, rank)
            operations += [
                distributed.P2POp(run, x, peer, group)
                for run, x in (
                    (distributed.isend, sent.contiguous()),
                    (distributed.irecv, received),
                )
            ]
    if operations:
        for work in distributed.batch_isend_irecv(operations):
            work.wait()
    return found

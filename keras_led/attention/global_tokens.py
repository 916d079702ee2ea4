"""Finding, gathering and writing back the tokens with global attention.

How many there are is data, but a compiled program has fixed shapes: the
global tokens of each document go into a number of slots.
"""

import math
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.typing import Tensor


class GlobalSlots(NamedTuple):
    """The global tokens of each document, in order of position.

    Attributes:
        positions: Int32 tensor of shape `(B, G)`; distinct in a row, also
            for unused slots, which point at tokens that are not global.
        valid: Bool tensor of shape `(B, G)`; `False` is an unused slot.
    """

    positions: Any
    valid: Any


class GlobalTokens(NamedTuple):
    """Which tokens are global, and slots for them.

    Attributes:
        mask: Bool tensor of shape `(B, L)`; `True` is a real token with
            global attention.
        slots: `GlobalSlots`.
        fits: Bool scalar tensor, whether every global token has a slot, or
            `None` where it is known that each has.
    """

    mask: Any
    slots: Any
    fits: Any = None

    def with_slots(
        self,
        function: Callable[..., Any],
        operands: tuple[Tensor, ...],
        cond: Callable[..., Any] = backend.cond,
    ) -> Any:
        """Calls a function with a slot for every global token.

        More of them than slots are rare: then the slots are as many as tokens,
        which is slower and as exact.

        Args:
            function: Callable from `GlobalSlots` and `operands`.
            operands: Tuple of float tensors.
            cond: `backend.cond`, or `backend.recomputed_cond` where a gradient
                is taken through `function`.
        """
        if self.fits is None:
            return function(self.slots, *operands)

        def with_all(*operands):
            length = backend.shape(self.mask)[1]
            return function(find_slots(self.mask, length), *operands)

        def with_few(*operands):
            return function(self.slots, *operands)

        return cond(self.fits, with_few, with_all, operands)


class SlotPlan(NamedTuple):
    """How many slots to use, decided once for all layers of the encoder.

    Attributes:
        num_slots: int, `G`; an int32 scalar tensor where the length of the
            documents is dynamic.
        bound: int, largest value of `num_slots`, or `None` if unknown.
        fits: Bool scalar tensor, whether every global token of the batch has
            a slot; `None` where that is known when the plan is made.
    """

    num_slots: Any
    bound: Any
    fits: Any


def plan_slots(
    global_mask: Tensor | None,
    max_global_tokens: int,
    exact: bool = False,
    global_tokens_fit: bool = False,
) -> SlotPlan:
    """Chooses the number of slots for a batch.

    Args:
        global_mask: Bool tensor of shape `(B, L)`, or `None` for no global
            token.
        max_global_tokens: int, slots to use inside a trace, where the mask
            cannot be read; infinity for as many as a batch turns out to need,
            where the program may have varying shapes.
        exact: bool, whether to use no more slots than needed, for outputs
            whose shape shows the number. Otherwise it is rounded up to a
            power of two, so that fewer shapes are compiled.
        global_tokens_fit: bool, whether the caller knows that no document has
            more global tokens than slots; then no program for more is built.

    Returns:
        `SlotPlan`.
    """
    if global_mask is None:
        return SlotPlan(0, 0, None)
    counts = ops.sum(backend.cast(global_mask, "int32"), axis=1)
    if not backend.is_concrete(global_mask):
        length = global_mask.shape[1]
        if max_global_tokens == math.inf:
            return SlotPlan(ops.maximum(ops.max(counts), 1), None, None)
        if length is None:
            slots = ops.minimum(
                max_global_tokens, backend.shape(global_mask)[1]
            )
        elif length > max_global_tokens:
            slots = max_global_tokens
        else:
            return SlotPlan(length, length, None)
        fits = None if global_tokens_fit else ops.all(counts <= slots)
        return SlotPlan(slots, max_global_tokens, fits)
    most = int(ops.max(counts)) if 0 not in counts.shape else 0
    if not exact:
        most = slots_for(most, global_mask.shape[1])
    return SlotPlan(most, most, None)


def slots_for(most: int, length: int | None = None) -> int:
    """Rounds `most` global tokens up, for fewer shapes to compile.

    Args:
        most: int, of any document of the batch.
        length: int, of a document, in tokens; `None` if unknown.
    """
    if most <= 0:
        return 0
    slots = 1 << (most - 1).bit_length()
    return slots if length is None else min(slots, length)


def find_slots(global_mask: Tensor, num_slots: int | Tensor) -> GlobalSlots:
    """Lists the positions of the global tokens of each document.

    Args:
        global_mask: Bool tensor of shape `(B, L)`.
        num_slots: int or int32 scalar tensor, `G`, at most `L`.

    Returns:
        `GlobalSlots`.
    """
    length = backend.shape(global_mask)[1]
    from_end = length - ops.arange(length, dtype="int32")  # L, ..., 1
    # Distinct keys: global tokens first, then the others, each in order of
    # position. Equal keys would come out in an order of the backend's.
    keys = ops.where(global_mask, from_end + length, from_end[None, :])
    keys, positions = ops.top_k(keys, num_slots)
    return GlobalSlots(backend.cast(positions, "int32"), keys > length)


def gather_tokens(x: Tensor, positions: Tensor) -> Tensor:
    """Takes the rows of `x` at `positions`, `(B, L, D) -> (B, G, D)`."""
    batch, length, dim = backend.shape(x)
    flat = backend.reshape(x, (batch * length, dim))
    return ops.take(flat, _flat_positions(positions, batch, length), axis=0)


def add_to_keys_(x: Tensor, positions: Tensor, rows: Tensor) -> Tensor:
    """Adds `rows`, `(B, N, G, H)`, to those of `x`, `(B, N, L, H)`.

    Positions are distinct in a row: adding once and writing is the same. May
    write over `x`.
    """
    batch, num_heads, length, head_dim = backend.shape(x)
    flat = backend.write_rows_(
        backend.reshape(x, (batch * num_heads * length, head_dim)),
        backend.reshape(_head_positions(x, positions), (-1,)),
        backend.reshape(backend.take_keys(x, positions) + rows, (-1, head_dim)),
    )
    return backend.reshape(flat, (batch, num_heads, length, head_dim))


def write_tokens_(x: Tensor, slots: GlobalSlots, rows: Tensor) -> Tensor:
    """Replaces the rows of `x` at the valid slots; may write over `x`.

    Args:
        x: Float tensor of shape `(B, L, D)`.
        slots: `GlobalSlots` of `G` slots.
        rows: Float tensor of shape `(B, G, D)`.

    Returns:
        Tensor of the shape of `x`.
    """
    batch, length, dim = backend.shape(x)
    num_slots = backend.shape(rows)[1]
    # An unused slot writes back what is there: shapes stay static.
    kept = gather_tokens(x, slots.positions)
    rows = ops.where(slots.valid[:, :, None], rows, kept)
    indices = _flat_positions(slots.positions, batch, length)
    flat = backend.write_rows_(
        backend.reshape(x, (batch * length, dim)),
        backend.reshape(indices, (batch * num_slots,)),
        backend.reshape(rows, (batch * num_slots, dim)),
    )
    return backend.reshape(flat, (batch, length, dim))


def _flat_positions(positions, batch, length):
    return positions + length * ops.arange(batch, dtype="int32")[:, None]


def _head_positions(x, positions):
    """Rows of `x` as a matrix, `(B, N, L, H) -> (B N L, H)`; `(B, N, G)`."""
    batch, num_heads, length, _ = backend.shape(x)
    heads = ops.arange(batch * num_heads, dtype="int32")
    heads = backend.reshape(heads, (batch, num_heads, 1))
    return ops.add(positions[:, None, :], length * heads)

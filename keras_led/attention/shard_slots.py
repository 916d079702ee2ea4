"""The global tokens of documents of which each device has a part."""

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from keras import ops

from keras_led import backend
from keras_led.attention.global_tokens import GlobalSlots
from keras_led.attention.global_tokens import find_slots
from keras_led.attention.global_tokens import gather_tokens
from keras_led.attention.global_tokens import write_tokens_
from keras_led.typing import Tensor

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards


class ShardSlots(NamedTuple):
    """The global tokens of each document, in order of position.

    All shards have the same slots, and each of them some of the tokens.

    Attributes:
        positions: Int32 tensor of shape `(B, G)`, in the shard, of the tokens
            that it has.
        valid: Bool tensor of shape `(B, G)`; `False` is an unused slot.
        here: Bool tensor of shape `(B, G)`, whether the shard has the token.
        own: `GlobalSlots` of the tokens that it has, as many as it may have.
        numbers: Int32 tensor of the shape of those, the slot of each.
        shards: `DocumentShards`.
    """

    positions: Any
    valid: Any
    here: Any
    own: GlobalSlots
    numbers: Any
    shards: Any

    def gather(self, x: Tensor) -> Tensor:
        """Rows of all global tokens, `(B, L, D) -> (B, G, D)`; unused are 0."""
        rows = gather_tokens(x, self.positions)
        rows = rows * ops.cast(self.here, rows.dtype)[:, :, None]
        return backend.sum_over_shards(rows, self.shards)

    def write_(self, x: Tensor, rows: Tensor) -> Tensor:
        """Replaces the rows of `x` that the shard has; may write over `x`.

        Args:
            x: Float tensor of shape `(B, L, D)`.
            rows: Float tensor of shape `(B, G, D)`, of all slots.

        Returns:
            Tensor of the shape of `x`.
        """
        last = ops.shape(rows)[1] - 1
        numbers = ops.clip(self.numbers, 0, last)  # of unused ones
        rows = ops.take_along_axis(rows, numbers[:, :, None], axis=1)
        return write_tokens_(x, self.own, rows)


def find_shard_slots(
    global_mask: Tensor, num_slots: int, shards: "DocumentShards"
) -> ShardSlots:
    """Lists the global tokens of each document, of a part of it.

    Args:
        global_mask: Bool tensor of shape `(B, L)`, of the tokens of a shard.
        num_slots: int, `G`, at least the global tokens of any document.
        shards: `DocumentShards`.

    Returns:
        `ShardSlots`.
    """
    own = find_slots(global_mask, min(num_slots, global_mask.shape[1]))
    count = ops.sum(ops.cast(global_mask, "int32"), axis=1)  # (B,)
    counts = backend.gather_over_shards(count, shards)  # (shards, B)
    order = ops.arange(shards.size, dtype="int32")
    earlier = ops.cast(order < backend.shard_index(shards), "int32")
    before = ops.sum(counts * earlier[:, None], axis=0)[:, None]  # (B, 1)
    every = ops.arange(num_slots, dtype="int32")[None]
    index = every - before  # among those of the shard
    last = own.positions.shape[1] - 1
    return ShardSlots(
        positions=ops.take_along_axis(
            own.positions, ops.clip(index, 0, last), axis=1
        ),
        valid=every < ops.sum(counts, axis=0)[:, None],
        here=(index >= 0) & (index < count[:, None]),
        own=own,
        numbers=before + ops.arange(last + 1, dtype="int32"),
        shards=shards,
    )

"""Which tokens the encoder's attention sees, and where."""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led import backend
from keras_led.attention.global_tokens import GlobalTokens
from keras_led.attention.global_tokens import SlotPlan
from keras_led.attention.global_tokens import find_slots
from keras_led.attention.global_tokens import plan_slots
from keras_led.attention.masks import TokenRoles
from keras_led.attention.shard_slots import find_shard_slots

if TYPE_CHECKING:
    from keras_led.backend.shard_layout import DocumentShards


@dataclasses.dataclass(frozen=True, eq=False)
class EncoderMasks:
    """What every layer of the encoder has to know of the document.

    A plain object: Keras refuses call arguments that nest tensors and ints.

    Attributes:
        padding_mask: Bool tensor of shape `(B, L)`; `True` is a real token.
        global_tokens: `GlobalTokens`, of a part of the document `ShardSlots`;
            `None` for no slot.
        bound: int, largest number of slots, or `None` if unknown.
        shards: `DocumentShards` where the tokens are a part of the document's,
            `None` where they are all.
        window_keys: dict, for a part of the document: by the one-sided window,
            `W`, the bool tensor `(B, W + L + W)` of `attend_with_halo`.
    """

    padding_mask: Any
    global_tokens: Any
    bound: Any
    shards: Any = None
    window_keys: Any = None

    @classmethod
    def make(
        cls,
        roles: TokenRoles,
        max_global_tokens: int,
        exact: bool = False,
        training: bool = False,
        global_tokens_fit: bool = False,
    ) -> "EncoderMasks":
        """Finds the slots once, for all layers; see `plan_for_layers`."""
        roles, plan = plan_for_layers(
            roles, max_global_tokens, exact, training, global_tokens_fit
        )
        global_tokens = None
        if plan.bound != 0:
            slots = find_slots(roles.global_mask, plan.num_slots)
            global_tokens = GlobalTokens(roles.global_mask, slots, plan.fits)
        return cls(roles.padding_mask, global_tokens, plan.bound)

    @classmethod
    def of_shard(
        cls,
        roles: TokenRoles,
        plan: SlotPlan,
        shards: "DocumentShards",
        windows: Iterable[int],
    ) -> "EncoderMasks":
        """Finds the slots of a part of the document, and its windows' keys.

        Args:
            roles: `TokenRoles` of the part, from `plan_for_layers`.
            plan: `SlotPlan`, likewise; whether all fit is for the caller.
            shards: `DocumentShards`.
            windows: Iterable of int, of the layers, both sides together.
        """
        padding_mask, global_mask = roles
        keys, global_tokens = padding_mask, None
        if plan.bound != 0:
            keys = keys & ~global_mask
            global_tokens = find_shard_slots(
                global_mask, plan.num_slots, shards
            )
        keys = ops.cast(keys, "uint8")  # what travels
        window_keys = {}
        for width in {window // 2 for window in windows}:
            before, behind = backend.halo(keys, width, 1, shards)
            reaching = ops.concatenate([before, keys, behind], axis=1)
            window_keys[width] = ops.cast(reaching, "bool")
        return cls(padding_mask, global_tokens, plan.bound, shards, window_keys)

    def bound_of(self, slots: Any) -> int | None:
        """Largest number that `slots` may be, or `None` if unknown."""
        number = slots.positions.shape[1]
        if number is None and slots is self.global_tokens.slots:
            return self.bound
        return number


def plan_for_layers(
    roles: TokenRoles,
    max_global_tokens: int,
    exact: bool = False,
    training: bool = False,
    global_tokens_fit: bool = False,
) -> tuple[TokenRoles, SlotPlan]:
    """Decides how many slots the layers have; see `plan_slots`.

    In training there is always a slot, be it unused: then the global
    projections get a gradient, of 0, in every step. Optimizers and
    distributed training expect one for each weight.

    Returns:
        Tuple of the roles, which have a mask of global tokens where there is a
        slot, and the `SlotPlan`.
    """
    padding_mask, global_mask = roles
    plan = plan_slots(global_mask, max_global_tokens, exact, global_tokens_fit)
    if training and plan.bound == 0:
        global_mask = ops.zeros_like(padding_mask)
        plan = SlotPlan(1, 1, None)
    return TokenRoles(padding_mask, global_mask), plan

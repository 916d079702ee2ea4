"""Which tokens the encoder's attention sees, and where."""

import dataclasses
from typing import TYPE_CHECKING
from typing import Any

from keras import ops

from keras_led.attention.global_tokens import GlobalTokens
from keras_led.attention.global_tokens import SlotPlan
from keras_led.attention.global_tokens import find_slots
from keras_led.attention.global_tokens import plan_slots

if TYPE_CHECKING:
    from keras_led.attention.masks import TokenRoles


@dataclasses.dataclass(frozen=True, eq=False)
class EncoderMasks:
    """What every layer of the encoder has to know of the document.

    A plain object: Keras refuses call arguments that nest tensors and ints.

    Attributes:
        padding_mask: Bool tensor of shape `(B, L)`; `True` is a real token.
        global_tokens: `GlobalTokens`, or `None` for no slot.
        bound: int, largest number of slots, or `None` if unknown.
    """

    padding_mask: Any
    global_tokens: Any
    bound: Any

    @classmethod
    def make(
        cls,
        roles: "TokenRoles",
        max_global_tokens: int,
        exact: bool = False,
        training: bool = False,
        global_tokens_fit: bool = False,
    ) -> "EncoderMasks":
        """Finds the slots once, for all layers; see `plan_slots`.

        In training there is always a slot, be it unused: then the global
        projections get a gradient, of 0, in every step. Optimizers and
        distributed training expect one for each weight.
        """
        padding_mask, global_mask = roles
        plan = plan_slots(
            global_mask, max_global_tokens, exact, global_tokens_fit
        )
        if training and plan.bound == 0:
            global_mask = ops.zeros_like(padding_mask)
            plan = SlotPlan(1, 1, None)
        global_tokens = None
        if plan.bound != 0:
            slots = find_slots(global_mask, plan.num_slots)
            global_tokens = GlobalTokens(global_mask, slots, plan.fits)
        return cls(padding_mask, global_tokens, plan.bound)

    def bound_of(self, slots: Any) -> int | None:
        """Largest number that `slots` may be, or `None` if unknown."""
        number = slots.positions.shape[1]
        if number is None and slots is self.global_tokens.slots:
            return self.bound
        return number

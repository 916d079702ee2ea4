"""What a recorded training step has to know of a batch beforehand."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_led.attention.global_tokens import slots_for


class RecordableMixin:
    """Counts the global tokens of a batch before a step.

    A recording (see `backend.train_step`) cannot read how many slots they need.
    """

    def _slots_of_batch(self, batch: Any) -> int:
        """Slots for the global tokens of a training batch, as in the step.

        Args:
            batch: What `train_step` takes; its arrays lie on the host.

        Returns:
            int, 0 without a global token.
        """
        inputs = self._with_labels(batch)
        inputs = inputs[0] if isinstance(inputs, tuple) else inputs
        attended = inputs.get("attention_mask")
        wide = inputs.get("global_attention_mask")
        # As in `token_roles`: an attention mask of 2 makes a token global.
        code = 1 if wide is None else np.asarray(wide) + 1
        code = code if attended is None else code * np.asarray(attended)
        if np.ndim(code) != 2:
            return 0
        return slots_for(int((code > 1).sum(axis=1).max()), code.shape[1])

    @contextlib.contextmanager
    def _slots_given(self, slots: int) -> Iterator[None]:
        """Has the encoder take so many slots, which are known to be enough."""
        base = self.get_base_model()
        base._slots_of_step = slots
        try:
            yield
        finally:
            base._slots_of_step = None

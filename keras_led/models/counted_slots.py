"""How many global tokens the data of a run have, counted before its steps.

A traced or recorded step cannot read how many slots they need. Where nobody has
counted, it has slots to spare, and a second program for documents with more.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_led.attention.global_tokens import slots_for
from keras_led.models.values import on_host


class CountedSlotsMixin:
    """Gives steps as many slots as their data need."""

    # Of the `fit`, `evaluate` or `predict` that runs; `None` is not known.
    _slots_of_run: int | None = None
    # With which Keras' functions were made.
    _train_function_slots: int | None = None
    _test_function_slots: int | None = None
    _predict_function_slots: int | None = None

    def _count_slots(self, data: Any) -> int | None:
        """Slots for the global tokens of a batch, or of all data of a run.

        Args:
            data: What `train_step` takes.

        Returns:
            int, 0 without a global token; `None` where the masks do not lie
            on the host.
        """
        inputs = self._with_labels(data)
        inputs = inputs[0] if isinstance(inputs, tuple) else inputs
        masks = [
            inputs.get(name)
            for name in ("attention_mask", "global_attention_mask")
        ]
        attended, wide = map(on_host, masks)
        if masks[1] is None and masks[0] is None:
            return 0
        if any(
            mask is not None and array is None
            for mask, array in zip(masks, (attended, wide), strict=True)
        ):
            return None
        # As in `token_roles`: an attention mask of 2 makes a token global.
        code = 1 if wide is None else np.asarray(wide) + 1
        code = code if attended is None else code * np.asarray(attended)
        if np.ndim(code) != 2 or not np.size(code):
            return 0
        return slots_for(int((code > 1).sum(axis=1).max()), code.shape[1])

    @contextlib.contextmanager
    def _slots_counted(
        self, slots: int | None, *functions: str
    ) -> Iterator[None]:
        """Has the steps of a run take so many slots, where that is known.

        Args:
            slots: int, or `None`.
            *functions: Names of the functions of Keras that run the steps,
                such as "train_function". One made for another number is made
                anew.
        """
        for name in functions:
            if getattr(self, f"_{name}_slots") != slots:
                setattr(self, name, None)
                setattr(self, f"_{name}_slots", slots)
        before, self._slots_of_run = self._slots_of_run, slots
        try:
            yield
        finally:
            self._slots_of_run = before

    def _slots_of_data(self):
        """`_slots_given` of what is known of the data that a step is from."""
        return self._slots_given(self._slots_of_run)

    @contextlib.contextmanager
    def _slots_given(self, slots: int | None) -> Iterator[None]:
        """Has the encoder take so many slots, which are known to be enough.

        Args:
            slots: int, or `None` for as many as it takes by itself.
        """
        base = self.get_base_model()
        if slots is None or base._slots_of_step is not None:
            yield
            return
        base._slots_of_step = slots
        try:
            yield
        finally:
            base._slots_of_step = None

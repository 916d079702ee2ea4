"""How many global tokens the data of a run have, counted before its steps.

A traced or recorded step cannot read how many slots they need. Where nobody has
counted, it has slots to spare, and a second program for documents with more.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_led.attention.global_tokens import slots_for
from keras_led.models.values import on_host


def count_global_tokens(inputs: dict[str, Any]) -> tuple[int, int] | None:
    """The most global tokens of any document, and the length of documents.

    Args:
        inputs: dict of call arguments.

    Returns:
        Pair of int, `(0, 0)` without a mask; `None` where a mask does not lie
        on the host.
    """
    code = None
    # As in `token_roles`: an attention mask of 2 makes a token global.
    for name, more in (("global_attention_mask", 1), ("attention_mask", 0)):
        mask = inputs.get(name)
        if mask is None:
            continue
        array = on_host(mask)
        if array is None:
            return None
        array = np.asarray(array) + more
        code = array if code is None else code * array
    if code is None or np.ndim(code) != 2:
        return 0, 0
    return int((code > 1).sum(axis=1).max(initial=0)), code.shape[1]


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
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(
            self._with_labels(data)
        )
        most = count_global_tokens(inputs)
        return None if most is None else slots_for(*most)

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

"""Data is checked on the host, before Keras takes it: arrays and batches.

Compiled code cannot raise. JAX takes another row of a table for an id outside
the vocabulary, or trains on NaN; a GPU under TensorFlow takes zeros.
"""

import copy
import types
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_led.attention.global_tokens import slots_for


class DataCheck:
    """Looks at all data of one call of `fit`, `evaluate` or `predict`.

    Args:
        check_batch: Callable that takes arrays, or a batch of them, as Keras
            hands data to a training step, and raises if they are wrong.
        count_slots: Callable of the same to the slots for their global tokens,
            an int, or `None`.

    Attributes:
        slots: int, enough for the global tokens of all data, or `None` where
            some come later that nobody has counted.
        error: What it raised, or `None`. TensorFlow wraps errors of its
            pipelines in others.
    """

    error: Exception | None
    slots: int | None

    def __init__(
        self,
        check_batch: Callable[..., Any],
        count_slots: Callable[..., int | None],
    ):
        self.check_batch = check_batch
        self.count_slots = count_slots
        self.error = None
        self.slots = 0

    def __call__(self, batch: Any) -> None:
        try:
            self.check_batch(batch)
        except Exception as error:
            self.error = error
            raise

    def source(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Checks arrays now, and the batches of all else as they come.

        Args:
            x: As in `keras.Model.fit`.
            y: Likewise.
            sample_weight: Likewise.

        Returns:
            What to give to Keras for `x`.
        """
        if isinstance(x, keras.utils.PyDataset):
            most = getattr(x, "most_global_tokens", None)  # one of ours
            self._add(None if most is None else slots_for(most))
            return _CheckedDataset(x, self)
        checked = self._as_they_come(x)
        if checked is not None:
            self._add(None)
            return checked
        self((x, y, sample_weight))
        self._add(self.count_slots((x, y, sample_weight)))
        return x

    def _add(self, slots):
        if slots is None or self.slots is None:
            self.slots = None
        else:
            self.slots = max(slots, self.slots)

    def _as_they_come(self, x):
        """A source of batches that checks each, `None` for arrays."""
        if isinstance(x, types.GeneratorType):
            return _checked_generator(x, self)
        kinds = {base.__name__: base.__module__ for base in type(x).__mro__}
        if kinds.get("DataLoader", "").startswith("torch."):
            return _checked_loader(x, self)
        if kinds.get("DatasetV2", "").startswith("tensorflow."):
            return _checked_tf_dataset(x, self)
        return None

    def validation(self, data: Any) -> Any:
        """`source` for the `validation_data` of `fit`."""
        if data is None:
            return None
        if isinstance(data, list):
            data = tuple(data)
        if not isinstance(data, tuple):
            return self.source(data)
        return (self.source(*data), *data[1:])


class _CheckedDataset(keras.utils.PyDataset):
    """`dataset`, whose batches `check` looks at."""

    def __init__(self, dataset, check):
        super().__init__(
            dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size
        )
        self.dataset = dataset
        self.check = check

    @property
    def num_batches(self):
        return self.dataset.num_batches

    def __getitem__(self, index):
        batch = self.dataset[index]
        self.check(batch)
        return batch

    def on_epoch_begin(self):
        self.dataset.on_epoch_begin()

    def on_epoch_end(self):
        self.dataset.on_epoch_end()


def _checked_generator(batches, check):
    for batch in batches:
        check(batch)
        yield batch


def _checked_loader(loader, check):
    """A copy of PyTorch's `DataLoader`, by which Keras knows what it is."""

    class Checked(type(loader)):
        def __iter__(self):
            return _checked_generator(super().__iter__(), check)

    checked = copy.copy(loader)
    checked.__class__ = Checked
    return checked


def _checked_tf_dataset(dataset, check):
    """A `tf.data.Dataset` that reads each batch in its own threads."""
    import tensorflow as tf  # `dataset` has loaded it.

    def look(*batch):
        leaves = tf.nest.flatten(batch)
        dense = [i for i, leaf in enumerate(leaves) if tf.is_tensor(leaf)]
        dense = [i for i in dense if isinstance(leaves[i], tf.Tensor)]

        def read(*arrays):
            found = dict(zip(dense, map(np.asarray, arrays), strict=True))
            flat = [found.get(i) for i in range(len(leaves))]
            check(tf.nest.pack_sequence_as(batch, flat))
            return ()

        tf.numpy_function(read, [leaves[i] for i in dense], ())
        whole = isinstance(dataset.element_spec, tuple)
        return batch if whole else batch[0]

    return dataset.map(look)

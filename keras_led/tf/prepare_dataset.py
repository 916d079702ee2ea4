"""From a map-style dataset to a `tf.data.Dataset` for `fit`."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import tensorflow as tf

from keras_led.losses.model_losses import IGNORED_LABEL
from keras_led.tf.inputs import call_names

if TYPE_CHECKING:
    from keras_led.tokenizer.led_tokenizer import LEDTokenizer

# What fills a column up to the longest row of a batch; 0 for any other.
_FILL = {"labels": IGNORED_LABEL, "global_attention_mask": 0}


class DatasetMixin:
    """`prepare_tf_dataset`."""

    def prepare_tf_dataset(
        self,
        dataset: Any,
        batch_size: int = 8,
        shuffle: bool = True,
        tokenizer: "LEDTokenizer | None" = None,
        collate_fn: Callable[..., Any] | None = None,
        collate_fn_args: dict[str, Any] | None = None,
        drop_remainder: bool | None = None,
        prefetch: bool = True,
    ) -> "tf.data.Dataset[Any]":
        """Makes batches for `fit` from tokenized documents.

        Columns that the model's call does not take are left out. Each column
        is padded to the longest row of its batch: `input_ids` and
        `decoder_input_ids` with the padding token, masks with 0, `labels`
        with -100.

        Args:
            dataset: A `datasets.Dataset`, or anything with a length whose
                items are dicts: of ids, masks and labels, lists of ints.
            batch_size: int, rows in a batch.
            shuffle: bool, whether to draw a new order in every epoch.
            tokenizer: `LEDTokenizer` whose padding token is used, or `None`
                for the config's.
            collate_fn: Callable from a list of rows to a dict of arrays,
                instead of the padding above.
            collate_fn_args: dict of keyword arguments of `collate_fn`.
            drop_remainder: bool, whether to leave out a last batch that is
                not full. Defaults to `shuffle`.
            prefetch: bool, whether to prepare the next batch meanwhile.

        Returns:
            `tf.data.Dataset` of pairs of a dict of inputs and the labels, or
            of dicts where there are no labels.

        Raises:
            TypeError: If `dataset` has no length or its items are no dicts.
            ValueError: If it is empty, or no column is an input.
        """
        rows = _Rows(dataset, call_names(self))
        if collate_fn is None:
            pad = self.config.pad_token_id
            pad = tokenizer.pad_token_id if tokenizer is not None else pad
            collate_fn = _padding(pad)
        options = collate_fn_args or {}
        if drop_remainder is None:
            drop_remainder = shuffle

        def collate(indices):
            batch = collate_fn([rows[int(i)] for i in indices], **options)
            return {name: np.asarray(value) for name, value in batch.items()}

        indices = tf.data.Dataset.range(len(rows))
        if shuffle:
            indices = indices.shuffle(len(rows), reshuffle_each_iteration=True)
        indices = indices.batch(batch_size, drop_remainder=drop_remainder)
        batches = _load(indices, collate, collate(range(min(2, len(rows)))))
        return batches.prefetch(tf.data.AUTOTUNE) if prefetch else batches


class _Rows:
    """The rows of a dataset, with the columns that the call takes."""

    def __init__(self, dataset, names):
        if not hasattr(dataset, "__len__"):
            raise TypeError(
                "`dataset` must have a length and items by index. Received: "
                f"{type(dataset).__name__}. Batch a streaming dataset with "
                "`tf.data` itself."
            )
        if not len(dataset):
            raise ValueError("`dataset` must hold a row. Received: none.")
        first = dataset[0]
        if not isinstance(first, Mapping):
            raise TypeError(
                "The items of `dataset` must be dicts of columns. Received: "
                f"{type(first).__name__}."
            )
        self.columns = [name for name in first if name in names]
        if not self.columns:
            raise ValueError(
                "`dataset` must have a column that the model takes, such as "
                f"'input_ids'. Received: {', '.join(first)}."
            )
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        row = self.dataset[index]
        return {name: row[name] for name in self.columns}


def _padding(pad_token_id):
    fills = {"input_ids": pad_token_id, "decoder_input_ids": pad_token_id}
    fills |= _FILL

    def collate(rows):
        batch = {}
        for name in rows[0]:
            values = [np.asarray(row[name]) for row in rows]
            longest = max(len(value) for value in values)
            fill = fills.get(name, 0)
            batch[name] = np.stack(
                [
                    np.pad(v, (0, longest - len(v)), constant_values=fill)
                    for v in values
                ]
            ).astype("int32")
        return batch

    return collate


def _load(indices, collate, sample):
    """Maps batches of row numbers to batches of rows."""
    names = sorted(sample)
    types = [tf.as_dtype(sample[name].dtype) for name in names]

    def load(numbers):
        batch = collate(numbers)
        return [batch[name].astype(sample[name].dtype) for name in names]

    def read(numbers):
        tensors = tf.numpy_function(load, [numbers], types)
        batch = {}
        for name, tensor in zip(names, tensors, strict=True):
            sizes = [numbers.shape[0]] + [None] * (sample[name].ndim - 1)
            batch[name] = tf.ensure_shape(tensor, sizes)
        if "labels" not in batch:
            return batch
        labels = batch.pop("labels")
        return batch, labels

    return indices.map(read)

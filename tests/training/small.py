"""A model that trains in no time on the batches of a dataset."""

import keras
from keras import ops

from keras_led.data import Seq2SeqDataset
from tests.data.tokenizers import ROWS
from tests.data.tokenizers import byte_tokenizer


class Small(keras.Model):
    """Guesses the labels from the mean token, with dropout."""

    def __init__(self):
        super().__init__()
        self.dropout = keras.layers.Dropout(0.3)
        self.dense = keras.layers.Dense(24)

    def build(self, input_shape=None):
        self.dense.build((None, 1))
        self.built = True

    def call(self, inputs, training=False):
        ids = ops.cast(inputs["input_ids"], "float32") / 100
        mask = ops.cast(inputs["attention_mask"], "float32")
        mean = ops.sum(ids * mask, axis=1, keepdims=True)
        mean = mean / ops.sum(mask, axis=1, keepdims=True)
        return self.dropout(self.dense(mean), training=training)


def small_model(seed=3):
    keras.utils.set_random_seed(seed)
    model = Small()
    model.build()
    model.compile(
        optimizer=keras.optimizers.AdamW(0.01), loss="mse", metrics=["mae"]
    )
    return model


def small_dataset(**options):
    defaults = {
        "batch_size": 2,
        "max_source_tokens": 300,
        "max_target_tokens": 20,
        "buckets": (64, 160),
    }
    return Seq2SeqDataset(ROWS, byte_tokenizer(), **{**defaults, **options})


def weights(model):
    return [ops.convert_to_numpy(v) for v in model.trainable_variables]

"""Builds a classifier of one's own on the encoder of an LED.

The functional API of Keras joins the encoder, a pooling of its hidden states
and a new layer into one `keras.Model`, which trains, saves and loads like any
other. The data are those of `classify_manual_pages.py`.

    python examples/classify_with_encoder.py
"""

import keras
import numpy as np
from classify_manual_pages import CLASSES
from classify_manual_pages import MAX_SOURCE_TOKENS
from classify_manual_pages import read_rows
from small_model import make_parser
from small_model import start
from small_model import take

from keras_led import LEDModel
from keras_led.data import ClassificationDataset

INPUTS = ("input_ids", "attention_mask", "global_attention_mask")


def build(led):
    """A functional model: documents in, logits of their classes out."""
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name) for name in INPUTS
    }
    hidden = led.get_encoder()(inputs).last_hidden_state
    # The first token, <s>, attends to the whole document.
    pooled = keras.layers.Dropout(0.1)(hidden[:, 0])
    logits = keras.layers.Dense(len(CLASSES), name="classes")(pooled)
    return keras.Model(inputs, logits, name="encoder_classifier")


def score(model, dataset):
    """Share of the rows put into the right class."""
    right = []
    for i in range(len(dataset)):
        inputs, labels = dataset[i]
        found = model.predict_on_batch(inputs).argmax(-1)
        right += (found == labels)[labels >= 0].tolist()
    return float(np.mean(right))


def main(arguments=None):
    """Trains and reports; returns the held-out scores and the model."""
    chosen = make_parser(__doc__, epochs=4).parse_args(arguments)
    keras.utils.set_random_seed(1)
    train = take(read_rows("train"), chosen.rows)
    test = take(read_rows("test"), chosen.rows)
    tokenizer, led = start(
        LEDModel,
        chosen.model,
        [text for text, _ in train],
        d_model=64,
        encoder_layers=1,
        decoder_layers=1,
        attention_window=64,
        max_encoder_position_embeddings=MAX_SOURCE_TOKENS,
    )
    options = {
        "max_source_tokens": MAX_SOURCE_TOKENS,
        "buckets": [MAX_SOURCE_TOKENS],
        "batch_size": chosen.batch_size,
    }
    train = ClassificationDataset(train, tokenizer, CLASSES, **options)
    options["shuffle"] = False
    test = ClassificationDataset(test, tokenizer, CLASSES, **options)

    model = build(led)
    model.compile(
        keras.optimizers.AdamW(chosen.learning_rate, clipnorm=1.0),
        # Rows that fill up a batch have the label -100.
        loss=keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=-100
        ),
    )
    before = score(model, test)
    model.fit(train, epochs=chosen.epochs, shuffle=False, verbose=2)
    after = score(model, test)
    print(f"Held-out before: {before:.3f} right, after: {after:.3f}")
    return before, after, model


if __name__ == "__main__":
    main()

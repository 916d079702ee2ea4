"""Models and documents of which it is checked what shards make of them."""

import keras
import numpy as np

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration

SIZES = {
    "vocab_size": 61,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 20,
    "decoder_ffn_dim": 28,
    "attention_window": [6, 60],
    "max_encoder_position_embeddings": 96,
    "max_decoder_position_embeddings": 32,
    "init_std": 0.25,
    "dropout": 0.0,
    "attention_dropout": 0.0,
}


def config(**options):
    return LEDConfig(**{**SIZES, **options})


def make(max_global_tokens=4, dtype="float32", **options):
    keras.utils.set_random_seed(3)
    return LEDForConditionalGeneration(
        config(**options), max_global_tokens=max_global_tokens, dtype=dtype
    )


def batch(length, places, rows=2, targets=7):
    """Documents, the second one shorter, with global tokens at `places`."""
    random = np.random.default_rng(length)
    ids = random.integers(5, 61, (rows, length)).astype("int32")
    mask = np.ones((rows, length), "int32")
    mask[1::2, length - length // 5 :] = 0
    wide = np.zeros((rows, length), "int32")
    for row in range(rows):
        wide[row, places[row % len(places)]] = 1
    labels = random.integers(5, 61, (rows, targets)).astype("int32")
    labels[0, 4:] = -100
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "global_attention_mask": wide,
        "labels": labels,
    }


def largest(x):
    return float(np.abs(x).max())


def fitted(model):
    """Losses of three epochs of one batch."""
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    inputs = batch(48, ([0, 20], [0]), rows=4)
    labels = inputs.pop("labels")
    run = model.fit(
        inputs, labels, batch_size=4, epochs=3, shuffle=False, verbose=0
    )
    return run.history["loss"]


def generated(model):
    """Tokens that a model writes in several ways."""
    inputs = batch(48, ([0, 20], [0]))
    del inputs["labels"]
    options = {"max_new_tokens": 9, "eos_token_id": 60}
    prompt = np.array([[2, 9, 8], [2, 7, 5]])
    calls = {
        "greedy": {"no_repeat_ngram_size": 2},
        "beams": {
            "num_beams": 3,
            "no_repeat_ngram_size": 2,
            "decoder_input_ids": prompt,
        },
        "look-up": {"prompt_lookup_num_tokens": 3},
        "contrastive": {"penalty_alpha": 0.6, "top_k": 3},
    }
    return {
        name: np.asarray(model.generate(**inputs, **options, **call)).tolist()
        for name, call in calls.items()
    }

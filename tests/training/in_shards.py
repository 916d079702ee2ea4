"""Prints how far documents in shards are from those on one device.

Runs on eight devices of JAX; a line of JSON for each part of the check.
"""

import json
import sys

import jax  # noqa: TID253
import keras
import numpy as np

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.training import SequenceParallel
from keras_led.training import layout_map

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


def make(max_global_tokens=4, **options):
    keras.utils.set_random_seed(3)
    return LEDForConditionalGeneration(
        config(**options), max_global_tokens=max_global_tokens
    )


def distribution(*shape, names=("data", "sequence"), **options):
    mesh = keras.distribution.DeviceMesh(shape, list(names))
    if "model" in names:
        options["layout_map"] = layout_map(mesh, config())
    return SequenceParallel(mesh, **options)


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


def derive(model, inputs):
    """Loss, hidden states and gradients by path, and the program of them."""
    trained, others = model.trainable_variables, model.non_trainable_variables

    def loss_of(values, rest, inputs):
        output, _ = model.stateless_call(values, rest, **inputs, training=True)
        return output.loss, output.encoder_last_hidden_state

    values, rest = ([v.value for v in part] for part in (trained, others))
    run = jax.jit(jax.value_and_grad(loss_of, has_aux=True))
    (loss, hidden), found = run(values, rest, inputs)
    paths = [variable.path for variable in trained]
    found = dict(zip(paths, map(np.asarray, found), strict=True))
    return run, float(loss), np.asarray(hidden), found


def largest(x):
    return float(np.abs(x).max())


def gradients():
    """Parts of 24 tokens, windows of 30 on each side, padding, 41 tokens."""
    inputs = batch(93, (list(range(0, 82, 2)), [5]))
    options = {"encoder_layers": 1, "attention_window": [60]}
    _, loss, hidden, found = derive(make(48, **options), inputs)
    with distribution(2, 4).scope():
        model = make(48, **options)
        _, loss_too, hidden_too, found_too = derive(model, inputs)
    real = inputs["attention_mask"][:, :, None]
    return {
        "hidden": [largest((hidden_too - hidden) * real), largest(hidden)],
        "loss": [abs(loss_too - loss), loss],
        "gradients": {
            path: [largest(found_too[path] - x), largest(x)]
            for path, x in found.items()
        },
    }


def noise():
    """Whether the gradient is that of what was dropped."""
    options = {"dropout": 0.1, "attention_dropout": 0.3, "encoder_layers": 1}
    with distribution(1, 8).scope():
        model = make(**options, attention_window=[6])
        inputs = batch(64, ([0, 40],))
        run, loss, _, found = derive(model, inputs)
        rest = [v.value for v in model.non_trainable_variables]
        random = np.random.default_rng(0)
        values = [v.value for v in model.trainable_variables]
        ways = [random.standard_normal(x.shape) for x in values]
        slope = sum(
            float(np.sum(way * x))
            for way, x in zip(ways, found.values(), strict=True)
        )
        up, down = (
            run(
                [x + size * way for x, way in zip(values, ways, strict=True)],
                rest,
                inputs,
            )[0][0]
            for size in (1e-3, -1e-3)
        )
        # Seeds are the only integers among the others.
        rest = [x + 1 if x.dtype == "uint32" else x for x in rest]
        (other, _), _ = run(values, rest, inputs)
    return {
        "slope": slope,
        "rise": float(up - down) / 2e-3,
        "losses": [loss, float(other)],
    }


def encoding():
    """Fewer tokens than devices, two windows; more tokens than slots."""
    inputs = batch(5, ([0], []))
    del inputs["labels"]
    encoded = make().get_encoder().predict(inputs, verbose=0)
    with distribution(1, 8).scope():
        encoder = make().get_encoder()
        encoded_too = encoder.predict(inputs, verbose=0)
        inputs["global_attention_mask"][0] = 1
        try:
            encoder.predict(inputs, verbose=0)
            message = "none"
        except ValueError as error:
            message = str(error)
        # Where nothing can read the mask.
        unread = jax.jit(lambda inputs: encoder(inputs))(inputs)
    name = "last_hidden_state"
    gap = encoded_too[name] - encoded[name]
    gap = gap * inputs["attention_mask"][:, :, None]
    return {
        "hidden": [largest(gap), largest(encoded[name])],
        "message": message,
        "unread": bool(np.isnan(unread[name]).all()),
    }


def fitted(model):
    """Losses of three epochs of one batch."""
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    inputs = batch(48, ([0, 20], [0]), rows=4)
    labels = inputs.pop("labels")
    run = model.fit(
        inputs, labels, batch_size=4, epochs=3, shuffle=False, verbose=0
    )
    return run.history["loss"]


def training():
    """Losses on one device and on meshes, and shapes of the position table."""
    options = {"encoder_layers": 1, "attention_window": [24]}
    found = {"one": fitted(make(**options))}
    for name, shape, names in (
        ("all", (1, 8), ("data", "sequence")),
        ("halves", (2, 4), ("data", "sequence")),
        ("three axes", (2, 2, 2), ("data", "sequence", "model")),
    ):
        with distribution(*shape, names=names).scope():
            model = make(**options)
            if name == "halves":
                model.gradient_checkpointing_enable()
            found[name] = fitted(model)
            table = model.led.encoder.embed_positions.embeddings.value
            share = table.addressable_shards[0].data.shape
            found[f"table of {name}"] = share
    return found


def generation():
    """Tokens on one device and on all."""
    inputs = batch(48, ([0, 20], [0]))
    del inputs["labels"]
    options = {"max_new_tokens": 9, "eos_token_id": 60}
    prompt = np.array([[2, 9, 8], [2, 7, 5]])
    calls = {
        "greedy": {},
        "beams": {
            "num_beams": 3,
            "no_repeat_ngram_size": 2,
            "decoder_input_ids": prompt,
        },
        "look-up": {"prompt_lookup_num_tokens": 3},
    }

    def run(model):
        return {
            name: model.generate(**inputs, **options, **call)
            for name, call in calls.items()
        }

    one = run(make(encoder_layers=1, attention_window=[24]))
    with distribution(1, 8).scope():
        many = run(make(encoder_layers=1, attention_window=[24]))
    return {
        name: [np.asarray(x[name]).tolist() for x in (one, many)]
        for name in calls
    }


PARTS = (gradients, noise, encoding, training, generation)


def main(names):
    for part in PARTS:
        if not names or part.__name__ in names:
            line = json.dumps({part.__name__: part()})
            print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])

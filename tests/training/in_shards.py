"""Prints how far documents in shards are from those on one device.

Runs on eight devices of JAX; a line of JSON for each part of the check.
"""

import json
import sys

import jax  # noqa: TID253
import keras
import numpy as np

from keras_led.models.adapters import enable_lora
from keras_led.training import SequenceParallel
from keras_led.training import layout_map
from tests.training.shard_models import batch
from tests.training.shard_models import config
from tests.training.shard_models import fitted
from tests.training.shard_models import generated
from tests.training.shard_models import largest
from tests.training.shard_models import make


def distribution(*shape, names=("data", "sequence"), **options):
    mesh = keras.distribution.DeviceMesh(shape, list(names))
    if "model" in names:
        options["layout_map"] = layout_map(mesh, config())
    return SequenceParallel(mesh, **options)


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


def gradients():
    """Parts of 24 tokens, windows of 30 on each side, padding, 41 tokens."""
    inputs = batch(93, (list(range(0, 82, 2)), [5]))
    options = {"encoder_layers": 1, "attention_window": [60]}
    _, loss, hidden, alone = derive(make(48, **options), inputs)
    with distribution(2, 4).scope():
        model = make(48, **options)
        _, loss_too, hidden_too, many = derive(model, inputs)
    real = inputs["attention_mask"][:, :, None]
    found = {
        "hidden": [largest((hidden_too - hidden) * real), largest(hidden)],
        "loss": [abs(loss_too - loss), loss],
    }
    for path, x in alone.items():
        found[path] = [largest(many[path] - x), largest(x)]
    return {"8": found}


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
    one = generated(make(encoder_layers=1, attention_window=[24]))
    with distribution(1, 8).scope():
        many = generated(make(encoder_layers=1, attention_window=[24]))
    return {name: [one[name], many[name]] for name in one}


def kinds():
    """Losses of weights of other kinds, and tokens of int8 ones."""
    options = {"encoder_layers": 1, "attention_window": [24]}

    def losses(dtype, adapters):
        model = make(dtype=dtype, **options)
        if adapters:
            enable_lora(model, 2)
        return fitted(model)

    def tokens():
        # As many slots as are counted: of int8, fewer have other numbers.
        model = make(2, **options)
        model.quantize("int8")
        inputs = batch(48, ([0, 20], [0]))
        del inputs["labels"]
        return model.generate(**inputs, max_new_tokens=7)

    found = {}
    for name, run in {
        "mixed_bfloat16": lambda: losses("mixed_bfloat16", False),
        "adapters": lambda: losses("float32", True),
        "int8": lambda: np.asarray(tokens()).tolist(),
    }.items():
        one = run()
        with distribution(1, 8).scope():
            found[name] = [one, run()]
    return found


PARTS = (gradients, noise, encoding, training, generation, kinds)


def main(names):
    for part in PARTS:
        if not names or part.__name__ in names:
            line = json.dumps({part.__name__: part()})
            print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])

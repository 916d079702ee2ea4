"""Writes what a checkpoint of Orbax is worth under another mesh.

Runs on four devices of JAX: trains with weights spread over two of them, saves
with `keras.callbacks.OrbaxCheckpoint`, and goes on with documents spread over
all four.
"""

import json
import sys

import keras
import numpy as np

from keras_led.training import SequenceParallel
from keras_led.training import layout_map
from tests.training.in_shards import batch
from tests.training.in_shards import config
from tests.training.in_shards import make

DATA = batch(12, [[0], [0, 3]])


def compiled():
    model = make()
    # Keras finds the saved numbers by name, and would count optimizers.
    model.compile(keras.optimizers.AdamW(0.01, name="adamw"))
    return model


def spread(array):
    """On how many devices the parts of an array differ."""
    return len({str(shard.index) for shard in array.addressable_shards})


def weights_spread():
    mesh = keras.distribution.DeviceMesh((2, 2), ["batch", "model"])
    return keras.distribution.ModelParallel(
        layout_map=layout_map(mesh, config()), batch_dim_name="batch"
    )


def documents_spread():
    mesh = keras.distribution.DeviceMesh((1, 4), ["data", "sequence"])
    return SequenceParallel(mesh)


def state(model):
    return [np.asarray(variable.value) for variable in model.variables]


def facts(model, saved):
    """How far a state is from the saved one, how it lies, a step's loss."""
    pairs = zip(state(model), saved, strict=True)
    optimizer = [np.asarray(v.value) for v in model.optimizer.variables]
    return {
        "gap": max(float(np.abs(a - b).max()) for a, b in pairs),
        "parts": max(spread(v.value) for v in model.variables),
        "steps": int(model.optimizer.iterations),
        "moments": float(sum(np.abs(x).sum() for x in optimizer)),
        "loss": float(model.train_on_batch(DATA)),
    }


def main(folder):
    """Trains, saves and loads in a folder; writes what it found as JSON."""
    with weights_spread().scope():
        model = compiled()
        save = keras.callbacks.OrbaxCheckpoint(folder)
        model.fit(DATA, batch_size=2, epochs=2, verbose=0, callbacks=[save])
        saved = state(model)
        found = {"saved": facts(model, saved)}
    with documents_spread().scope():
        model = compiled()
        model.optimizer.build(model.trainable_variables)
        pairs = zip(state(model), saved, strict=True)
        found["fresh"] = max(float(np.abs(a - b).max()) for a, b in pairs)
        model.load_weights(folder)
        found["loaded"] = facts(model, saved)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

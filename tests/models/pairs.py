"""Models of the peer and of ours with the same weights, made once."""

import functools
import json
import pathlib
import tempfile

import keras
from safetensors.numpy import save_file

from keras_led import backend
from tests import peer

BATCH, TARGETS = 3, 5
_GOLDEN_MODELS = {}


@functools.cache
def _pair(class_name, seed, changes):
    other = peer.build(class_name, seed, **dict(changes))
    with tempfile.TemporaryDirectory() as directory:
        # Few slots, so that the grid reaches the branch for more tokens.
        return peer.load_ours(other, directory, max_global_tokens=3), other


def pair(class_name, seed=0, **changes):
    """Our model and the peer's, of the tiny config with `changes`."""
    frozen = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in changes.items()
    }
    return _pair(class_name, seed, tuple(sorted(frozen.items())))


@functools.cache
def load(class_name, dtype):
    """Our model of `pair(class_name)` under another dtype policy."""
    with tempfile.TemporaryDirectory() as directory:
        return peer.load_ours(pair(class_name)[1], directory, dtype=dtype)


@functools.cache
def _compiled(model, names, options):
    def function(*arrays):
        return model(**dict(zip(names, arrays, strict=True)), **dict(options))

    return backend.jit(function, model)


def quick(model, **options):
    """The call of a model in the form that is quicker for a few calls.

    JAX compiles each eager operation for each new shape: there the whole call
    is one program. TensorFlow takes longer to trace a model than to run it.
    """

    def call(**inputs):
        if keras.backend.backend() != "jax":
            return model(**inputs, **options)
        frozen = tuple(sorted(options.items()))
        return _compiled(model, tuple(inputs), frozen)(*inputs.values())

    return call


def from_golden(class_name, key, config, weights):
    """Our model with the weights of a golden file; made once for a `key`."""
    if key not in _GOLDEN_MODELS:
        import keras_led

        with tempfile.TemporaryDirectory() as directory:
            write_checkpoint(directory, config, weights)
            made = getattr(keras_led, class_name).from_pretrained(directory)
        _GOLDEN_MODELS[key] = made
    return _GOLDEN_MODELS[key]


def write_checkpoint(directory, config, weights):
    """Writes config keywords and weights as a Hugging Face directory."""
    directory = pathlib.Path(directory)
    content = {**config, "model_type": "led"}
    (directory / "config.json").write_text(json.dumps(content))
    save_file(weights, directory / "model.safetensors", {"format": "pt"})


def document(length, padding="absent", wide="absent", batch=BATCH):
    """Encoder inputs of `batch` documents; see `tests.peer` for the kinds."""
    return {
        "input_ids": peer.token_ids(batch, length, seed=length),
        "attention_mask": peer.padding_mask(padding, batch, length),
        "global_attention_mask": peer.global_mask(wide, batch, length),
    }


def both_sides(length, padding="absent", wide="absent", targets=TARGETS):
    """Encoder inputs as `document`, and decoder ids."""
    return {
        **document(length, padding, wide),
        "decoder_input_ids": peer.token_ids(BATCH, targets, seed=99),
    }

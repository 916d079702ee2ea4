"""What was done to layers after they were made, as plain values.

A model made from its config, as copies and loaded `.keras` files are, has to
be frozen, quantized and recomputed where the first one was, and has to have
its adapters.
"""

from typing import Any

import keras

from keras_led import backend
from keras_led.layers.dense_layer import Dense
from keras_led.layers.dense_layer import hold_as_array

# Others keep no weights but those that calibration made.
QUANTIZATION_MODES = ("int8", "int4", "float8")


def check_quantization(mode: str | None) -> None:
    """Refuses the modes of Keras that calibrate: GPTQ and AWQ.

    They hand one tensor from block to block, and nothing else: no mask, no
    window, and no document to a decoder.

    Raises:
        ValueError: If `mode` is one of them.
    """
    if mode not in QUANTIZATION_MODES:
        raise ValueError(
            f"`mode` must be {', '.join(map(repr, QUANTIZATION_MODES[:-1]))} "
            f"or {QUANTIZATION_MODES[-1]!r}. Received: mode={mode!r}, which "
            "calibrates blocks that take one tensor; those of LED take masks "
            "and the document too. Use 'int8' or 'int4'."
        )


def quantizable(layer: keras.layers.Layer) -> bool:
    """Whether a layer has a way of its own to be quantized."""
    return type(layer).quantize is not keras.layers.Layer.quantize


def find_changes(model: keras.layers.Layer) -> dict[str, dict[str, Any]]:
    """Lists what is not as the constructors of the layers leave it.

    Args:
        model: Built layer that holds others.

    Returns:
        dict of a layer's path to a dict of its changes.

    Raises:
        ValueError: If a copy could not be changed in the same way.
    """
    changes = {}
    for path, layer in _layers_by_path(model).items():
        found = {
            **_quantization(path, layer),
            **_adapters(path, layer),
            **_training(layer),
        }
        if found:
            changes[path] = found
    return changes


def make_changes(
    model: keras.layers.Layer, changes: dict[str, dict[str, Any]]
) -> None:
    """Does to a new model what `find_changes` found.

    Args:
        model: Layer of the same structure.
        changes: dict. Layers that it does not name train.

    Raises:
        ValueError: If it names a layer that is not there, or is not what
            `find_changes` gives.
    """
    try:
        _make_changes(model, changes)
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError(
            f"`changes` in the config of `{model.name}` must be what "
            f"`get_config` wrote. Received: changes={changes!r:.200}, where "
            f"{error}."
        ) from error
    backend.list_parameters(model)


def _make_changes(model, changes):
    layers = _layers_by_path(model)
    for path, change in changes.items():
        if path not in layers:
            raise ValueError(
                f"The config of `{model.name}` must name its own layers. "
                f"Received: {path!r}. Build all layers in the constructor."
            )
        _quantize(layers[path], change.get("quantization"))
        if "adapters" in change:
            rank, alpha = change["adapters"]
            layers[path].enable_lora(rank, lora_alpha=alpha)
        if "gradient_checkpointing" in change:
            layers[path].gradient_checkpointing = True
    # Owners come first: their flag is set on all that they hold.
    for path, layer in layers.items():
        layer.trainable = changes.get(path, {}).get("trainable", True)
    for path, change in changes.items():
        flags = change.get("weights", {})
        for variable, _ in _usual_flags(layers[path]):
            if variable.name in flags:
                variable.trainable = flags[variable.name]


def _quantization(path, layer):
    mode = layer.quantization_mode
    if mode is None:
        return {}
    if mode not in QUANTIZATION_MODES:
        raise ValueError(
            f"A model must be quantized to {', '.join(QUANTIZATION_MODES)} to "
            f"be copied or saved. Received: {path} in {mode}."
        )
    config = getattr(layer, "quantization_config", None)
    return {
        "quantization": {
            "mode": mode,
            "config": keras.saving.serialize_keras_object(config),
        }
    }


def _quantize(layer, quantization):
    # A policy of the whole model has made it so already.
    if quantization is None or layer.quantization_mode is not None:
        return
    config = keras.saving.deserialize_keras_object(quantization["config"])
    if isinstance(layer, keras.layers.Embedding):
        hold_as_array(layer, "_embeddings")
    layer.quantize(quantization["mode"], config=config)


def _adapters(path, layer):
    if not getattr(layer, "lora_enabled", False):
        return {}
    if not isinstance(layer, Dense):
        raise ValueError(
            "Adapters must be on the projections of attention and of the "
            "feed-forward blocks to be copied or saved. "
            f"Received: adapters on {path}. Use "
            "`keras_led.training.enable_lora`."
        )
    return {"adapters": [layer.lora_rank, layer.lora_alpha]}


def _training(layer):
    found = {} if layer.trainable else {"trainable": False}
    if getattr(layer, "gradient_checkpointing", False):
        found["gradient_checkpointing"] = True
    flags = {
        variable.name: variable.trainable
        for variable, usual in _usual_flags(layer)
        if variable.trainable != usual
    }
    return {**found, "weights": flags} if flags else found


def _usual_flags(layer):
    """Pairs of a layer's own variables and what its flag makes of theirs."""
    return [
        *((x, layer.trainable) for x in layer._trainable_variables),
        *((x, False) for x in layer._non_trainable_variables),
    ]


def _layers_by_path(model):
    """dict of path to layer, owners first; of the model itself, ''."""
    layers, seen = {"": model}, {id(model)}

    def walk(owner, prefix):
        for layer in owner._layers:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            path, number = prefix + layer.name, 1
            while path in layers:
                path, number = f"{prefix}{layer.name}_{number}", number + 1
            layers[path] = layer
            walk(layer, path + "/")

    walk(model, "")
    return layers

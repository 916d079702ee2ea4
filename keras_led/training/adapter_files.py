"""Adapters in files of their own, in the layout of PEFT.

A directory holds `adapter_config.json` with the settings and
`adapter_model.safetensors` with the adapters, and the base model stays where
it is. `peft.PeftModel.from_pretrained` puts them on the LED of `transformers`,
and `load_adapters` reads what PEFT's `save_pretrained` wrote for one.
"""

import contextlib
import math
from typing import Any

import numpy as np
from keras import ops

from keras_led.checkpoints import names
from keras_led.checkpoints.checkpoint import open_weight_file
from keras_led.checkpoints.safetensors_writer import Tensor
from keras_led.checkpoints.safetensors_writer import write_safetensors
from keras_led.files import read_json
from keras_led.files import read_together
from keras_led.files import resolve
from keras_led.files import staged_directory
from keras_led.files import write_json
from keras_led.files.reading import reading
from keras_led.models.adapters import adapter_layers
from keras_led.models.adapters import add_adapters
from keras_led.models.adapters import layer_name
from keras_led.models.freezing import has_adapters
from keras_led.models.freezing import innermost_layers
from keras_led.typing import AnyLED
from keras_led.typing import StrPath

CONFIG_NAME = "adapter_config.json"
WEIGHTS_NAME = "adapter_model.safetensors"
# What PEFT wrote before 0.6.
OLD_WEIGHTS_NAME = "adapter_model.bin"
_PREFIX = "base_model.model."
_TASKS = {
    "LEDForConditionalGeneration": "SEQ_2_SEQ_LM",
    "LEDForSequenceClassification": "SEQ_CLS",
    "LEDForQuestionAnswering": "QUESTION_ANS",
}
# Settings of PEFT that change what adapters compute, and the values that are
# Keras' own way.
_REQUIRED = {
    "peft_type": ("LORA",),
    "bias": ("none",),
    "fan_in_fan_out": (False,),
    "use_dora": (False,),
    "use_rslora": (False,),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
    "lora_bias": (False,),
    "layer_replication": (None,),
    "trainable_token_indices": (None,),
}


def save_adapters(model: AnyLED, directory: StrPath) -> None:
    """Writes the adapters, and whatever else trains, without the base model.

    Both files take the place of older ones in one step.

    Args:
        model: LED model with adapters. Layers without adapters that are not
            frozen, such as the head of classification, are written whole.
        directory: str or path, made when missing.

    Raises:
        ValueError: If the model has no adapters, or not all alike.
        TypeError: If `model` is no LED model.
    """
    layers = adapter_layers(model)
    kinds = {(x.lora_rank, x.lora_alpha) for x in layers.values()}
    if len(kinds) != 1:
        raise ValueError(
            "The model must have adapters of one rank and alpha to save. "
            f"Received: (rank, alpha) of {sorted(kinds) or 'none'}. Call "
            "`enable_lora` once, for all `targets`."
        )
    ((rank, alpha),) = kinds
    whole = _layers_that_train(model)
    content = {
        "base_model_name_or_path": None,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "modules_to_save": sorted(whole) or None,
        "peft_type": "LORA",
        "r": rank,
        "target_modules": sorted(layers),
        "task_type": _TASKS.get(type(model).__name__),
    }
    tensors = []
    for name, layer in layers.items():
        tensors += [
            _tensor(f"{name}.lora_A.weight", layer.lora_kernel_a, True),
            _tensor(f"{name}.lora_B.weight", layer.lora_kernel_b, True),
        ]
    for name, layer in whole.items():
        for variable in layer.weights:
            leaf = names.from_variable(variable.path)
            full = names.to_torch(leaf, "").rpartition(".")[2]
            swapped = names.is_transposed(leaf)
            tensors.append(_tensor(f"{name}.{full}", variable, swapped))
    with staged_directory(directory) as staging:
        write_safetensors(staging / WEIGHTS_NAME, tensors)
        write_json(staging / CONFIG_NAME, content)


def load_adapters(model: AnyLED, name_or_path: StrPath, **hub: Any) -> None:
    """Reads adapters into a model, which gets them where it has none.

    Nothing of the model changes before all of the files has been checked.

    Args:
        model: LED model, the one that the adapters were trained on.
        name_or_path: str or path of a directory that `save_adapters` or
            PEFT wrote, or a Hugging Face hub id.
        **hub: `revision`, `token`, `cache_dir`, `local_files_only` and
            `subfolder`, as in `from_pretrained`.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged, asks for what Keras' LoRA cannot do,
            or does not fit the model.
        ImportError: If the file is `adapter_model.bin`, which PEFT wrote
            before 0.6, and PyTorch is missing.
        TypeError: If `model` is no LED model.
    """
    present = adapter_layers(model)

    def open_files():
        settings = _read_settings(resolve(name_or_path, CONFIG_NAME, **hub))
        names = [WEIGHTS_NAME, OLD_WEIGHTS_NAME]
        weights = resolve(name_or_path, names, **hub)
        return *settings, open_weight_file(weights)  # pyright: ignore[reportArgumentType]

    rank, alpha, file = read_together(
        name_or_path,
        open_files,
        subfolder=hub.get("subfolder", ""),
        discard=lambda opened: opened[-1].close(),
    )
    layers = {
        layer_name(model, layer): layer
        for layer in innermost_layers(model)
        if layer.weights
    }
    rule = "hold adapters of this model"
    with contextlib.closing(file), reading(file.path, rule):
        values, adapted = _read_values(file, layers, rank)
    _check_present(present, adapted, rank, alpha)
    if not present:
        add_adapters(model, list(adapted.values()), rank, alpha)  # pyright: ignore[reportArgumentType]
    for (name, place), value in values.items():
        getattr(layers[name], place).assign(value)


def _layers_that_train(model):
    return {
        layer_name(model, layer): layer
        for layer in innermost_layers(model)
        if layer.trainable_weights and not has_adapters(layer)
    }


def _tensor(name, variable, swapped):
    shape = tuple(variable.shape)

    def read():
        array = ops.convert_to_numpy(ops.cast(variable.value, "float32"))
        return array.T if swapped else array

    shape = shape[::-1] if swapped else shape
    return Tensor(_PREFIX + name, shape, np.dtype("float32"), read)


def _read_settings(path):
    settings = read_json(path)
    for key, allowed in _REQUIRED.items():
        value = settings.get(key, allowed[0])
        if value not in allowed:
            raise ValueError(
                f"{path} must ask for plain LoRA adapters. Received: "
                f"{key}={value!r}, expected {allowed[0]!r}. Merge them with "
                "PEFT, and load the merged checkpoint."
            )
    rank, alpha = settings.get("r"), settings.get("lora_alpha")
    with reading(path, "hold `r`, an int from 1, and `lora_alpha`, a number"):
        whole = type(rank) is int and rank > 0
        number = type(alpha) in (int, float) and math.isfinite(alpha)  # pyright: ignore[reportArgumentType]
        if not (whole and number):
            raise ValueError(f"Received: r={rank!r}, lora_alpha={alpha!r}.")
        return rank, float(alpha)  # pyright: ignore[reportArgumentType]


def _read_values(file, layers, rank):
    """Returns values by layer and place, and the layers that are adapted."""
    values, adapted = {}, {}
    for key in file.infos:
        name, layer, place = _find(key, layers, file.path)
        shape, swapped = _expected(layer, place, rank)
        found = file.infos[key].shape
        if found != (shape[::-1] if swapped else shape):
            raise ValueError(
                f"{file.path} must fit the model. Received: {key} of shape "
                f"{found}, where the model with r={rank} has "
                f"{shape[::-1] if swapped else shape}."
            )
        if (name, place) in values:
            raise ValueError(
                f"{file.path} must hold each weight once. Received: {key} "
                "beside another name of it."
            )
        array = np.asarray(file.read(key), "float32")
        values[name, place] = array.T if swapped else array
        if place.startswith("lora_"):
            adapted[name] = layer
    for name in adapted:
        if not {(name, "lora_kernel_a"), (name, "lora_kernel_b")} <= set(
            values
        ):
            raise ValueError(
                f"{file.path} must hold lora_A and lora_B of each layer. "
                f"Received: one of them for {name}."
            )
    return values, adapted


def _find(key, layers, path):
    """Splits the name of a tensor to a layer's name, the layer, a place."""
    name = key.removeprefix(_PREFIX)
    for ending, place in (
        (".lora_A.weight", "lora_kernel_a"),
        (".lora_B.weight", "lora_kernel_b"),
        (".weight", None),
        (".bias", None),
    ):
        owner = name.removesuffix(ending)
        if owner == name or owner not in layers:
            continue
        layer = layers[owner]
        if place is None:
            place = _place_of(layer, ending[1:])
        elif not hasattr(layer, "enable_lora"):
            continue
        return owner, layer, place
    raise ValueError(
        f"{path} must hold adapters of this model. Received: {key}, which "
        "names none of its layers. Load them into the class and size of "
        "model they were trained on."
    )


def _place_of(layer, leaf):
    """Attribute of a layer that PyTorch calls `weight` or `bias`."""
    if leaf == "bias":
        return "beta" if hasattr(layer, "beta") else "bias"
    for place in ("_kernel", "_embeddings", "gamma"):
        if getattr(layer, place, None) is not None:
            return place
    raise TypeError(f"{layer.name} holds no weight.")


def _expected(layer, place, rank):
    """Keras' shape of a place, and whether PyTorch swaps its axes."""
    if place == "lora_kernel_a":
        return (layer._kernel.shape[0], rank), True
    if place == "lora_kernel_b":
        return (rank, layer._kernel.shape[1]), True
    return tuple(getattr(layer, place).shape), place == "_kernel"


def _check_present(present, adapted, rank, alpha):
    if not adapted:
        raise ValueError(
            f"{WEIGHTS_NAME} must hold adapters. Received: a file without."
        )
    if not present:
        return
    same = set(present) == set(adapted) and all(
        (layer.lora_rank, float(layer.lora_alpha)) == (rank, alpha)
        for layer in present.values()
    )
    if not same:
        raise ValueError(
            "The model must have no adapters, or the same as the files. "
            f"Received: {len(present)} adapters in the model, "
            f"{len(adapted)} of r={rank}, lora_alpha={alpha} in the files. "
            "Call `merge_adapters` first, or load a fresh model."
        )

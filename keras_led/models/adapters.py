"""LoRA adapters on the projections of attention: made, and merged.

Low-rank adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685) are what
`keras.layers.Dense.enable_lora` adds: a kernel becomes `W + alpha / rank *
A B`, with `B = 0` at first. `adapter_files.py` saves and loads them.
"""

import math
from collections.abc import Iterable

import keras

from keras_led.checkpoints import names
from keras_led.checkpoints.saving import merged_value
from keras_led.models.changed_variables import variables_changed
from keras_led.models.checked_runs import check_between_fits
from keras_led.models.freezing import base_of
from keras_led.models.freezing import freeze_all_but
from keras_led.models.freezing import has_adapters
from keras_led.models.freezing import innermost_layers
from keras_led.models.freezing import keep_under_adapters
from keras_led.typing import AnyLED

# Names of the projections of each role: in the encoder for local and for
# global attention, and in the decoder for both of its attentions.
ROLES = {
    "query": ("query", "query_global", "q_proj"),
    "key": ("key", "key_global", "k_proj"),
    "value": ("value", "value_global", "v_proj"),
    "output": ("output", "out_proj"),
}
# All that `targets` of `enable_lora` may name.
TARGETS = tuple(
    dict.fromkeys(
        [*ROLES, *(x for names in ROLES.values() for x in names), "fc1", "fc2"]
    )
)
DEFAULT_TARGETS = ("query", "value")
# What fine-tuning makes from scratch: it trains beside the adapters.
TASK_HEADS = ("classification_head", "qa_outputs")


def enable_lora(
    model: AnyLED,
    rank: int,
    alpha: float | None = None,
    targets: str | Iterable[str] = DEFAULT_TARGETS,
) -> int:
    """Adds adapters to the model and freezes the rest.

    Only the adapters train afterwards, and the head of sequence
    classification or question answering; `unfreeze` sets more free. Call it
    before `compile`.

    Args:
        model: LED model.
        rank: int, at least 1: columns of `A`, rows of `B`.
        alpha: float above 0: `alpha / rank` multiplies the adapters. By
            default `rank`.
        targets: str or tuple of str. "query", "key", "value" and "output"
            are these projections in every attention: local and global ones of
            the encoder, over its own tokens and over the document in the
            decoder. A name such as "query_global" or "q_proj" is that
            projection alone; "fc1" and "fc2" are the feed-forward blocks.

    Returns:
        int, number of the adapters' weights.

    Raises:
        ValueError: If an argument is out of range, or the model has adapters.
        TypeError: If `model` is no LED model.
    """
    chosen = target_layers(model, targets)
    add_adapters(model, chosen, rank, alpha)
    weights = [w for x in chosen for w in (x.lora_kernel_a, x.lora_kernel_b)]
    return sum(math.prod(weight.shape) for weight in weights)


def target_layers(
    model: AnyLED, targets: str | Iterable[str]
) -> list[keras.layers.Layer]:
    """Lists the layers that `targets` of `enable_lora` mean."""
    base = base_of(model)
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    unknown = [name for name in targets if name not in TARGETS]
    if unknown or not targets:
        raise ValueError(
            f"`targets` must be among {', '.join(TARGETS)}. "
            f"Received: targets={targets}."
        )
    wanted = {
        name for target in targets for name in ROLES.get(target, [target])
    }
    return [
        layer
        for side in (base.encoder, base.decoder)
        for layer in innermost_layers(side)
        if isinstance(layer, keras.layers.Dense) and layer.name in wanted
    ]


def add_adapters(
    model: AnyLED,
    layers: Iterable[keras.layers.Layer],
    rank: int,
    alpha: float | None = None,
) -> None:
    """`enable_lora` for a list of `Dense` layers of the model."""
    check_between_fits(model, "enable_lora")
    if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
        raise ValueError(
            f"`rank` must be an int of at least 1. Received: rank={rank!r}."
        )
    if alpha is not None and not alpha > 0:
        raise ValueError(
            "`alpha` must be above 0, or None for the rank. "
            f"Received: alpha={alpha!r}."
        )
    if adapter_layers(model):
        raise ValueError(
            "The model must have no adapters yet. Received: a model with "
            f"{len(adapter_layers(model))}. Call `merge_adapters` first, or "
            "name all `targets` at once."
        )
    heads = [
        layer
        for name in TASK_HEADS
        if hasattr(model, name)
        for layer in innermost_layers(getattr(model, name))
        if layer.trainable
    ]
    freeze_all_but(model, [*layers, *heads])
    for layer in layers:
        layer.trainable = True
        layer.enable_lora(rank, lora_alpha=alpha)
        keep_under_adapters(layer)
    variables_changed(model)


def merge_adapters(model: AnyLED) -> None:
    """Adds the adapters to the weights under them, and takes them out.

    The model computes the same as before, at the speed and with the layers of
    one that never had adapters; its weights stay frozen until `unfreeze`. (A
    checkpoint of `save_pretrained` has them merged in any case.) Compile the
    model again before it trains on.

    Args:
        model: LED model with adapters.

    Raises:
        ValueError: If it has none, or a quantized weight under one.
        TypeError: If `model` is no LED model.
    """
    check_between_fits(model, "merge_adapters")
    layers = adapter_layers(model)
    if not layers:
        raise ValueError(
            "The model must have adapters to merge. Received: a model "
            "without. Call `enable_lora` or `load_adapters` first."
        )
    for name, layer in layers.items():
        if layer.quantization_mode is not None:
            raise ValueError(
                "Adapters cannot be merged into quantized weights. "
                f"Received: {name} in {layer.quantization_mode}. Load the "
                "model unquantized, and `load_adapters` into it."
            )
    for layer in layers.values():
        layer._kernel.assign(merged_value(layer, "kernel"))
        for name in ("lora_kernel_a", "lora_kernel_b"):
            # `del layer.lora_kernel_a` collects garbage each time: 0.3 s.
            layer._untrack_variable(getattr(layer, name))
            setattr(layer, name, None)
        layer.lora_enabled = False
        layer.lora_rank = None
        layer.lora_alpha = None
        layer.trainable = False
    variables_changed(model)


def adapter_layers(model: AnyLED) -> dict[str, keras.layers.Layer]:
    """Dict of name to layer of all that have adapters.

    The name is PyTorch's, such as
    `led.encoder.layers.0.self_attn.longformer_self_attn.query`.
    """
    base_of(model)
    layers = [x for x in innermost_layers(model) if has_adapters(x)]
    return {layer_name(model, layer): layer for layer in layers}


def layer_name(model: AnyLED, layer: keras.layers.Layer) -> str:
    """PyTorch's name of a layer that holds weights."""
    prefix = "" if base_of(model) is model else names.BODY
    name = names.from_variable(layer.weights[0].path)
    return names.to_torch(name, prefix).rpartition(".")[0]

"""LoRA adapters of a backbone: ours, in the places where KerasHub looks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_led.argument_checks import did_you_mean
from keras_led.models.adapters import TARGETS
from keras_led.models.adapters import enable_lora

if TYPE_CHECKING:
    from keras_led.hub.hub_backbone import LEDBackbone

# The projections of queries and values, local and global, of both sides.
LAYERS = (
    "query",
    "query_global",
    "q_proj",
    "value",
    "value_global",
    "v_proj",
)


def add_adapters(
    backbone: "LEDBackbone", rank: int, names: str | Iterable[str]
) -> None:
    """Adds adapters and freezes the rest; see `LEDBackbone.enable_lora`."""
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in TARGETS:
            hint = did_you_mean(name, TARGETS)
            raise ValueError(
                f"`target_layer_names` must be among {', '.join(TARGETS)}. "
                f"Received: {name!r}.{hint}"
            )
    backbone.trainable = True
    enable_lora(backbone.led, rank, targets=names)
    # What `save_lora_weights` and `load_lora_weights` of KerasHub look at.
    layers = backbone._flatten_layers(include_self=False)
    layers = [layer for layer in layers if layer.weights]
    backbone._lora_rank = rank
    backbone._lora_enabled_layers = [
        index
        for index, layer in enumerate(layers)
        if getattr(layer, "lora_enabled", False)
    ]

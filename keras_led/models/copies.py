"""Models made from what `get_config` says of another.

`clone_model`, `copy.deepcopy`, `pickle` and `.keras` files know no more.
"""

from typing import Any
from typing import Self

import keras

from keras_led.config import LEDConfig
from keras_led.layers.changes import find_changes
from keras_led.layers.changes import make_changes

# Every config that `get_config` wrote has them. A damaged one without would
# make a model of the default sizes, of 1.8 GB.
SIZES = (
    "vocab_size",
    "d_model",
    "encoder_layers",
    "decoder_layers",
    "encoder_ffn_dim",
    "decoder_ffn_dim",
    "max_encoder_position_embeddings",
    "max_decoder_position_embeddings",
)


class CopyMixin:
    """Config of a model that has an `LEDConfig`, as `config`."""

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "config": self.config.to_dict(),
            "changes": find_changes(self),
        }

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
    ) -> Self:
        config = dict(config)
        changes = config.pop("changes", None)
        led_config = _read_config(config.pop("config", None))
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.dtype_policies.deserialize(config["dtype"])
        model = cls.from_led_config(led_config, **config)
        if changes is not None:  # older files have none
            make_changes(model, changes)
        return model

    @classmethod
    def from_led_config(cls, config: LEDConfig, **options: Any) -> Self:
        """Makes a fresh model from an `LEDConfig`."""
        return cls(config, **options)  # pyright: ignore[reportCallIssue]


def _read_config(content):
    """`LEDConfig` of what `get_config` wrote, with no size left to guess."""
    rule = "`config` in the config of a model must be a dict with all sizes. "
    if not isinstance(content, dict):
        raise ValueError(f"{rule}Received: config={content!r:.60}.")
    missing = [name for name in SIZES if name not in content]
    if missing:
        raise ValueError(f"{rule}Received: none of {missing}.")
    return LEDConfig.from_dict(content)

"""Models made from what `get_config` says of another.

`clone_model`, `copy.deepcopy`, `pickle` and `.keras` files know no more.
"""

import keras

from keras_led.config import LEDConfig
from keras_led.layers.changes import find_changes
from keras_led.layers.changes import make_changes


class CopyMixin:
    """Config of a model that has an `LEDConfig`, as `config`."""

    def get_config(self):
        return {
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "config": self.config.to_dict(),
            "changes": find_changes(self),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        changes = config.pop("changes", None)
        led_config = LEDConfig.from_dict(config.pop("config"))
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.dtype_policies.deserialize(config["dtype"])
        model = cls.from_led_config(led_config, **config)
        if changes is not None:  # older files have none
            make_changes(model, changes)
        return model

    @classmethod
    def from_led_config(cls, config, **options):
        """Makes a fresh model from an `LEDConfig`."""
        return cls(config, **options)

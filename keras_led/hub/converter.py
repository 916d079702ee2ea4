"""Lets `keras_hub.models.Seq2SeqLM.from_preset` read an LED of Hugging Face.

KerasHub has no place to register a converter of one's own. This file, and no
other, puts a loader in the place of KerasHub's; it looks whether that works,
and undoes it where it does not.
"""

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

import keras_hub

from keras_led.config import LEDConfig
from keras_led.hub.hub_backbone import LEDBackbone
from keras_led.hub.hub_presets import read_backbone
from keras_led.hub.hub_presets import read_limits
from keras_led.hub.hub_presets import read_tokenizer

# Private names of KerasHub 0.32.
PRESETS = "keras_hub.src.utils.preset_utils"
LOADERS = "keras_hub.src.utils.transformers.preset_loader"
LOADER = "TransformersPresetLoader"


def register_converter() -> None:
    """Makes the base classes of KerasHub read Hugging Face folders of LED.

    Afterwards `keras_hub.models.Seq2SeqLM.from_preset`, `Backbone`,
    `Tokenizer` and `Seq2SeqLMPreprocessor` take a folder or an
    `"hf://owner/name"` whose config says `model_type="led"`. All others are
    read as before. A second call changes nothing.

    Raises:
        RuntimeError: If the installed KerasHub has changed, so that it cannot
            be done. `keras_led.hub.LEDSeq2SeqLM.from_preset` needs no
            registration and works in any case.
    """
    try:
        presets = importlib.import_module(PRESETS)
        loaders = importlib.import_module(LOADERS)
        theirs = getattr(loaders, LOADER)
        base = presets.PresetLoader
        ask = presets.get_preset_loader
    except (ImportError, AttributeError) as error:
        raise RuntimeError(_changed(error)) from error
    if getattr(theirs, "reads_led", False):
        return
    setattr(loaders, LOADER, _with_led(theirs, base))
    try:
        _check(ask)
    except Exception as error:
        setattr(loaders, LOADER, theirs)
        raise RuntimeError(_changed(error)) from error


def _changed(error):
    return (
        "`register_converter` must know the KerasHub it changes: it was "
        "written for 0.32. Received: KerasHub "
        f"{getattr(keras_hub, '__version__', 'unknown')}, where "
        f"{type(error).__name__}: {error}. Use "
        "`keras_led.hub.LEDSeq2SeqLM.from_preset`, which does without."
    )


def _with_led(theirs: Any, base: Any) -> type:
    """A subclass of KerasHub's loader that reads LED by our readers.

    Args:
        theirs: `TransformersPresetLoader`.
        base: `PresetLoader`.

    Returns:
        The class.
    """

    class LoaderWithLED(theirs):
        reads_led = True

        def __init__(self, preset: str, config: dict[str, Any]):
            self.is_led = config.get("model_type") == "led"
            if self.is_led:
                base.__init__(self, preset, config)
            else:
                super().__init__(preset, config)

        def check_backbone_class(self) -> type:
            if self.is_led:
                return LEDBackbone
            return super().check_backbone_class()

        def load_backbone(
            self, cls: type, load_weights: bool, **kwargs: Any
        ) -> Any:
            if not self.is_led:
                return super().load_backbone(cls, load_weights, **kwargs)
            return read_backbone(cls, self.preset, load_weights, **kwargs)

        def load_tokenizer(self, cls: type, *args: Any, **kwargs: Any) -> Any:
            if not self.is_led:
                return super().load_tokenizer(cls, *args, **kwargs)
            own = read_tokenizer(self.preset)
            return cls(led_tokenizer=own, **kwargs)

        def load_preprocessor(
            self, cls: type, *args: Any, **kwargs: Any
        ) -> Any:
            if self.is_led:
                kwargs = {**read_limits(self.config), **kwargs}
                return base.load_preprocessor(self, cls, **kwargs)
            return super().load_preprocessor(cls, *args, **kwargs)

        def load_task(
            self,
            cls: type,
            load_weights: bool,
            load_task_weights: bool,
            **kwargs: Any,
        ) -> Any:
            owner = base if self.is_led else theirs
            return owner.load_task(
                self, cls, load_weights, load_task_weights, **kwargs
            )

    return LoaderWithLED


def _check(ask):
    """Raises unless KerasHub now finds our loader, and others as before."""
    for model_type, expected in (("led", True), ("bart", False)):
        content = {**LEDConfig().to_dict(), "model_type": model_type}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.json"
            path.write_text(json.dumps(content), encoding="utf-8")
            loader = ask(folder)
            found = loader.check_backbone_class() is LEDBackbone
        if found != expected:
            raise TypeError(
                f"a config of model_type={model_type!r} is read by a "
                f"{type(loader).__name__}"
            )
        for name in ("load_task", "load_backbone", "load_preprocessor"):
            if not callable(getattr(loader, name, None)):
                raise AttributeError(f"a loader has no `{name}`")

"""Lets Keras load a `.keras` file of ours after `import keras_led` alone.

Keras finds a class by the name that it was registered under, which happens
when its module is imported; `import keras_led` imports none. So stand-ins are
registered, at once or as soon as Keras is there, and each becomes its class
when Keras first asks it for something.
"""

import importlib
import sys

PACKAGE = "keras_led"

# Every class under `register_keras_serializable`, by its module.
CLASSES = {
    "layers.decoder": ("LEDDecoder",),
    "layers.encoder": ("LEDEncoder",),
    "layers.initializers": ("Normal",),
    "models.conditional_generation": ("LEDForConditionalGeneration",),
    "models.decoder_model": ("LEDDecoderModel",),
    "models.encoder_model": ("LEDEncoderModel",),
    "models.led": ("LEDModel",),
    "models.question_answering": ("LEDForQuestionAnswering",),
    "models.sequence_classification": ("LEDForSequenceClassification",),
    "tf.conditional_generation": ("TFLEDForConditionalGeneration",),
    "tf.led": ("TFLEDModel",),
    "tf.parts": ("TFLEDEncoder", "TFLEDDecoder"),
    "training.linear_decay": ("LinearDecay",),
    "training.metrics": ("TokenAccuracy", "Perplexity"),
}


class _StandIn(type):
    """Class of the stand-ins: what is asked of one, the real class answers."""

    def __call__(cls, *args, **kwargs):
        return cls._real()(*args, **kwargs)

    def __getattr__(cls, name):
        return getattr(cls._real(), name)

    def _real(cls):
        return getattr(importlib.import_module(cls.__module__), cls.__name__)


class _AfterKeras:
    """Finder of modules that waits for the first import of Keras."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "keras":
            return None
        others = (finder for finder in sys.meta_path if finder is not cls)
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next(filter(None, specs), None)
        if spec is not None:
            spec.loader.exec_module = cls._then_register(spec.loader)
        return spec

    @classmethod
    def _then_register(cls, loader):
        execute = loader.exec_module

        def exec_module(module):
            execute(module)
            sys.meta_path.remove(cls)
            register()
            pytrees = sys.modules.get(f"{PACKAGE}.backend_pytrees")
            if pytrees is not None:
                pytrees.register_waiting()

        return exec_module


def register():
    """Registers a stand-in for each of `CLASSES`, now or after Keras."""
    keras = sys.modules.get("keras")
    if keras is None:
        sys.meta_path.insert(0, _AfterKeras)
        return
    known = keras.saving.get_custom_objects()
    for module, names in CLASSES.items():
        home = {"__module__": f"{PACKAGE}.{module}"}
        for name in names:
            known.setdefault(f"{PACKAGE}>{name}", _StandIn(name, (), home))

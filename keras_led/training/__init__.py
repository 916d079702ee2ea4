"""Around `fit`: backups, ROUGE, metrics, adapters, freezing, layouts."""

# First: it says what to install where Keras lacks its backend.
from keras_led import backend
from keras_led.models.adapters import enable_lora
from keras_led.models.adapters import merge_adapters
from keras_led.models.freezing import freeze
from keras_led.models.freezing import unfreeze
from keras_led.training.adapter_files import load_adapters
from keras_led.training.adapter_files import save_adapters
from keras_led.training.backup import TrainingBackup
from keras_led.training.layout_map import layout_map
from keras_led.training.metrics import Perplexity
from keras_led.training.metrics import TokenAccuracy
from keras_led.training.rouge import rouge_scores
from keras_led.training.rouge_callback import RougeCallback
from keras_led.training.sequence_parallel import SequenceParallel

__all__ = [
    "Perplexity",
    "RougeCallback",
    "SequenceParallel",
    "TokenAccuracy",
    "TrainingBackup",
    "enable_lora",
    "freeze",
    "layout_map",
    "load_adapters",
    "merge_adapters",
    "rouge_scores",
    "save_adapters",
    "unfreeze",
]

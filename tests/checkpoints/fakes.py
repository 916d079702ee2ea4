"""Models of bare variables, and weight files of any format."""

import keras
import numpy as np

from keras_led.checkpoints import names
from keras_led.checkpoints.table import weight_shapes
from keras_led.checkpoints.tensor_files import FLOAT_DTYPES
from keras_led.config import LEDConfig

CLASSES = {
    None: "LEDModel",
    "generation": "LEDForConditionalGeneration",
    "classification": "LEDForSequenceClassification",
    "question_answering": "LEDForQuestionAnswering",
}


def tiny_config(**changes):
    values = dict(
        vocab_size=23,
        max_encoder_position_embeddings=20,
        max_decoder_position_embeddings=9,
        encoder_layers=2,
        decoder_layers=1,
        encoder_ffn_dim=10,
        decoder_ffn_dim=14,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        d_model=8,
        attention_window=4,
        num_labels=3,
    )
    return LEDConfig(**{**values, **changes})


class FakeVariable:
    """A variable that remembers what was assigned to it."""

    def __init__(self, path, shape, dtype):
        self.path = path
        self.shape = shape
        self.dtype = dtype
        self.value = None

    def assign(self, value):
        assert tuple(value.shape) == self.shape, self.path
        dtype = keras.backend.standardize_dtype(value.dtype)
        assert dtype == self.dtype, self.path
        # PyTorch has no bfloat16 to give to numpy, so Keras widens it.
        array = np.asarray(keras.ops.convert_to_numpy(value))
        self.value = array.astype(FLOAT_DTYPES[dtype])


class FakeModel:
    """What loading needs of a model: `weights`."""

    def __init__(self, config, head=None, dtype="float32"):
        self.config = config
        self.weights = []
        for name, shape in weight_shapes(config, head).items():
            inner = "" if head is None or names.is_head(name) else "led/"
            path = f"{CLASSES[head].lower()}_1/{inner}{name}"
            self.weights.append(FakeVariable(path, shape, dtype))

    def values(self):
        return {names.from_variable(v.path): v.value for v in self.weights}


def random_weights(config, head=None, seed=0):
    """Values of all weights, by name, in Keras layout."""
    random = np.random.default_rng(seed)
    return {
        name: random.standard_normal(shape).astype("float32")
        for name, shape in weight_shapes(config, head).items()
    }


def torch_state(weights, prefix="led"):
    """The same values under PyTorch's names, in PyTorch's layout."""
    return {
        names.to_torch(name, prefix): np.ascontiguousarray(
            value.T if names.is_transposed(name) else value
        )
        for name, value in weights.items()
    }


def assert_same(found, wanted):
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)

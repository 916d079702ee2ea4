"""The TensorFlow classes that `transformers` 4 had, over the same models."""

from keras_led import backend

if backend.name != "tensorflow":
    raise ImportError(
        "The TFLED classes of keras_led run on TensorFlow. "
        f"Received: KERAS_BACKEND={backend.name!r}. Set the environment "
        "variable KERAS_BACKEND=tensorflow before Keras is imported, or use "
        "the classes of the same name without TF, which run on every backend."
    )

from keras_led.tf.conditional_generation import TFLEDForConditionalGeneration
from keras_led.tf.led import TFLEDModel
from keras_led.tf.outputs import TFLEDEncoderBaseModelOutput
from keras_led.tf.outputs import TFLEDSeq2SeqLMOutput
from keras_led.tf.outputs import TFLEDSeq2SeqModelOutput

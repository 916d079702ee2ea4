"""Hugging Face's TFLED, in the environment of make_tfled_environment.sh.

Nothing here may import keras_led, which that environment does not have.
"""

import pathlib

import tensorflow as tf
import transformers
from safetensors.numpy import load_file
from transformers.modeling_tf_outputs import TFBaseModelOutput
from transformers.modeling_tf_pytorch_utils import (
    load_pytorch_state_dict_in_tf2_model,
)

from benchmarks.shapes import config_of
from benchmarks.shapes import make_batch
from benchmarks.shapes import make_inputs
from benchmarks.subjects import Subject

LEARNING_RATE = 1e-5


def versions():
    """Versions of the libraries, a dict."""
    return {
        "tensorflow": tf.__version__,
        "transformers": transformers.__version__,
    }


def tensors(arrays):
    """A dict of arrays as tensors."""
    return {name: tf.constant(x) for name, x in arrays.items()}


def check_dtype(case):
    """Raises ValueError for another dtype than float32."""
    if case["dtype"] != "float32":
        raise ValueError(
            "TFLED is measured in float32 only: its attention adds float32 "
            f"masks. Received: dtype={case['dtype']}."
        )


def load(directory):
    """Reads a checkpoint that PyTorch wrote.

    `from_pretrained` of 4.57 fails at it: it iterates over an open
    safetensors file, which cannot be done.

    Args:
        directory: str, with config.json and model.safetensors.

    Returns:
        `TFLEDForConditionalGeneration`.
    """
    config = transformers.LEDConfig.from_pretrained(directory)
    model = transformers.TFLEDForConditionalGeneration(config)
    weights = load_file(pathlib.Path(directory) / "model.safetensors")
    _, found = load_pytorch_state_dict_in_tf2_model(
        model, weights, allow_missing_keys=True, output_loading_info=True
    )
    if found["missing_keys"]:
        raise ValueError(
            "`directory` must hold all weights. "
            f"Received: missing={found['missing_keys']}."
        )
    return model


def encoder(contender, case):
    """The encoder's forward pass as one graph.

    Args:
        contender: str.
        case: dict, as for `benchmarks.ours.encoder`.

    Returns:
        `Subject`.
    """
    check_dtype(case)
    config = config_of(case["layers"], case["positions"])
    model = transformers.TFLEDModel(transformers.LEDConfig(**config))
    layer = model.get_encoder()
    inputs = tensors(make_inputs(case["tokens"], case["batch"]))

    @tf.function
    def encode(inputs):
        return layer(**inputs, training=False).last_hidden_state

    return Subject(lambda: float(encode(inputs)[0, -1, 0]), versions())


def generation(contender, case):
    """Encoder and decoding, timed apart.

    Args:
        contender: str.
        case: dict, as for `benchmarks.ours.generation`.

    Returns:
        Pair of `Subject`, as for ours.
    """
    check_dtype(case)
    model = load(case["directory"])
    layer = model.get_encoder()
    inputs = tensors(make_inputs(case["tokens"]))

    @tf.function
    def encode(inputs):
        return layer(**inputs, training=False).last_hidden_state

    def run_encoder():
        hidden = encode(inputs)
        float(hidden[0, -1, 0])
        return hidden

    def decode(hidden):
        return (
            model.generate(
                encoder_outputs=TFBaseModelOutput(hidden),
                attention_mask=inputs["attention_mask"],
                num_beams=case["beams"],
                max_new_tokens=case["new_tokens"],
                min_new_tokens=case["new_tokens"],
            )
            .numpy()
            .tolist()
        )

    return Subject(run_encoder, versions()), Subject(decode, versions())


def training(contender, case):
    """A step as one graph: forward, loss, backward, AdamW.

    With TensorFlow 2.19 it fails: the gradient of the layer's broadcasts has
    incompatible shapes once some tokens are global.

    Args:
        contender: str.
        case: dict, as for `benchmarks.ours.training`.

    Returns:
        `Subject`.
    """
    check_dtype(case)
    if case["checkpointing"]:
        raise ValueError(
            "TFLED has no gradient checkpointing. Received: checkpointing=True."
        )
    config = transformers.LEDConfig(**config_of(case["layers"]))
    model = transformers.TFLEDForConditionalGeneration(config)
    optimizer = transformers.AdamWeightDecay(LEARNING_RATE)
    batch = tensors(make_batch(case["tokens"], case["targets"]))

    @tf.function
    def step(batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(**batch, training=True).loss)
        weights = model.trainable_variables
        gradients = tape.gradient(loss, weights)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss

    return Subject(lambda: float(step(batch)), versions())

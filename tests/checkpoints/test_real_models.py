"""The Keras models against `transformers`, by way of files."""

import ml_dtypes
import numpy as np
import pytest
from keras import ops

from keras_led.checkpoints import load_pretrained_weights
from keras_led.checkpoints import names
from keras_led.checkpoints import save_pretrained_weights
from keras_led.checkpoints.table import weight_shapes
from keras_led.models.conditional_generation import LEDForConditionalGeneration
from keras_led.models.led import LEDModel
from keras_led.models.question_answering import LEDForQuestionAnswering
from keras_led.models.sequence_classification import (
    LEDForSequenceClassification,
)
from tests.checkpoints.fakes import CLASSES
from tests.checkpoints.fakes import assert_same
from tests.checkpoints.fakes import random_weights
from tests.checkpoints.fakes import tiny_config

MODELS = {
    None: LEDModel,
    "generation": LEDForConditionalGeneration,
    "classification": LEDForSequenceClassification,
    "question_answering": LEDForQuestionAnswering,
}


def values(model):
    return {
        names.from_variable(v.path): ops.convert_to_numpy(v.value)
        for v in model.weights
    }


def filled(config, head, **options):
    model = MODELS[head](config, **options)
    weights = random_weights(config, head)
    for variable in model.weights:
        variable.assign(weights[names.from_variable(variable.path)])
    return model


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("head", MODELS)
def test_table_lists_the_weights_of_the_model(head, tied):
    config = tiny_config(tie_word_embeddings=tied)
    model = MODELS[head](config, name="any_name")
    shapes = {
        names.from_variable(v.path): tuple(v.shape) for v in model.weights
    }
    # QA has two outputs whatever the config says.
    assert shapes == weight_shapes(config, head)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("head", [None, "generation", "question_answering"])
def test_both_ways_bit_by_bit(tmp_path, head, tied):
    transformers = pytest.importorskip("transformers")
    import torch

    config = tiny_config(tie_word_embeddings=tied)
    model = filled(config, head)
    model.save_pretrained(tmp_path / "ours", max_shard_size=3000)
    peer_class = getattr(transformers, CLASSES[head])
    peer, info = peer_class.from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not any(info.values()), info
    peer.save_pretrained(tmp_path / "theirs")
    again = MODELS[head].from_pretrained(tmp_path / "theirs")
    assert_same(values(again), values(model))
    torch.save(peer.state_dict(), tmp_path / "pytorch_model.bin")
    again = MODELS[head](config)
    load_pretrained_weights(again, tmp_path / "pytorch_model.bin")
    assert_same(values(again), values(model))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(tmp_path, dtype):
    transformers = pytest.importorskip("transformers")
    import torch

    config = tiny_config()
    model = filled(config, "generation")
    config.save_pretrained(tmp_path)
    save_pretrained_weights(model, tmp_path, dtype=dtype)
    half = np.dtype(getattr(ml_dtypes, dtype, dtype))
    expected = {
        name: value.astype(half).astype("float32")
        for name, value in values(model).items()
    }
    again = LEDForConditionalGeneration.from_pretrained(tmp_path)
    assert_same(values(again), expected)
    peer = transformers.LEDForConditionalGeneration.from_pretrained(
        tmp_path, dtype="auto"
    )
    assert peer.dtype == getattr(torch, dtype)
    half_model = LEDForConditionalGeneration.from_pretrained(
        tmp_path, dtype=dtype
    )
    assert {v.dtype for v in half_model.weights} == {dtype}
    save_pretrained_weights(half_model, tmp_path / "again")
    again = LEDForConditionalGeneration(config)
    load_pretrained_weights(again, tmp_path / "again")
    assert_same(values(again), expected)


def test_mixed_precision_saves_float32(tmp_path):
    model = filled(tiny_config(), None, dtype="mixed_bfloat16")
    model.save_pretrained(tmp_path)
    again = LEDModel.from_pretrained(tmp_path)
    assert_same(values(again), values(model))


def test_failing_load_leaves_the_model_as_it_was(tmp_path):
    filled(tiny_config(), None).save_pretrained(tmp_path)
    model = filled(tiny_config(encoder_layers=3), None)
    before = values(model)
    with pytest.raises(ValueError, match="Missing .22.: led.encoder.layers.2"):
        load_pretrained_weights(model, tmp_path)
    assert_same(values(model), before)


def test_quantized_model_is_refused(tmp_path):
    model = filled(tiny_config(), None)
    model.encoder.layers[0].fc1.quantize("int8")
    with pytest.raises(ValueError, match="dtype=int8. Save a quantized"):
        save_pretrained_weights(model, tmp_path)


def test_lora_is_merged(tmp_path):
    model = filled(tiny_config(), None)
    layer = model.encoder.layers[1].fc1
    expected = values(model)
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(np.ones(layer.lora_kernel_b.shape))
    merged = ops.convert_to_numpy(layer.kernel)
    kernel = "encoder/layers.1/fc1/kernel"
    assert np.abs(merged - expected[kernel]).max() > 0
    expected[kernel] = merged
    save_pretrained_weights(model, tmp_path)
    again = LEDModel(tiny_config())
    load_pretrained_weights(again, tmp_path)
    assert_same(values(again), expected)

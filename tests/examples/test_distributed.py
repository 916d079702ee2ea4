"""Losses of the examples for several devices: those of one device."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from tests.data.tokenizers import byte_tokenizer

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder with a tiny model that trains without dropout."""
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = byte_tokenizer()
    keras.utils.set_random_seed(2)
    model = LEDForConditionalGeneration(
        LEDConfig(
            vocab_size=len(tokenizer),
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            attention_window=16,
            max_encoder_position_embeddings=48,
            max_decoder_position_embeddings=64,
            init_std=0.2,
            dropout=0.0,
            attention_dropout=0.0,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def start(name, checkpoint, *arguments, **environment):
    """Starts an example on 8 pages, two steps of 4, with a high rate."""
    command = [sys.executable, EXAMPLES / f"{name}.py"]
    command += ["--model", checkpoint, "--rows", "8", "--batch-size", "4"]
    command += ["--epochs", "2", "--learning-rate", "0.01", *arguments]
    return subprocess.Popen(
        command,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes):
    """What each process printed."""
    printed = []
    for process in processes:
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors[-3000:]
        printed.append(output)
    return printed


def losses(output):
    found = [float(x) for x in re.findall(r": loss (\d+\.\d+)", output)]
    assert len(found) == 4
    assert found[-1] < found[0]
    return found


def assert_same(several, one):
    # AdamW makes much of the rounding of gradients that are almost zero.
    np.testing.assert_allclose(losses(several), losses(one), atol=2e-3)


@pytest.mark.skipif(BACKEND != "jax", reason="devices of JAX")
def test_jax_shares_batches_and_weights(checkpoint):
    eight = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    name = "distributed_jax"
    (one,) = finish(start(name, checkpoint, XLA_FLAGS=""))
    # Four devices hold a row each, and two groups of four hold a model each.
    four = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    (rows,) = finish(start(name, checkpoint, **four))
    (both,) = finish(start(name, checkpoint, "--model-devices", "4", **eight))
    assert "Each of 4 devices holds (16, 32) of a kernel (16, 32)." in rows
    assert "Each of 8 devices holds (16, 8) of a kernel (16, 32)." in both
    assert_same(rows, one)
    assert_same(both, one)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute")
def test_tensorflow_shares_batches_among_devices(checkpoint):
    name = "distributed_tensorflow"
    (one,) = finish(start(name, checkpoint, "--replicas", "1"))
    (two,) = finish(start(name, checkpoint, "--replicas", "2"))
    assert "2 replicas shared every batch." in two
    assert_same(two, one)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute")
def test_tensorflow_shares_batches_among_processes(checkpoint):
    name = "distributed_tensorflow"
    (one,) = finish(start(name, checkpoint, "--processes", "1"))
    (two,) = finish(start(name, checkpoint, "--processes", "2"))
    assert "2 processes shared every batch." in two
    assert_same(two, one)


@pytest.mark.skipif(BACKEND != "torch", reason="DistributedDataParallel")
def test_torch_shares_batches_among_processes(checkpoint):
    name = "distributed_torch"
    (one,) = finish(start(name, checkpoint, "--processes", "1"))
    (two,) = finish(start(name, checkpoint, "--processes", "2"))
    assert_same(two, one)


@pytest.mark.skipif(BACKEND != "torch", reason="parameters of PyTorch")
def test_a_batch_without_global_tokens_uses_every_parameter(checkpoint):
    model = LEDForConditionalGeneration.from_pretrained(checkpoint)
    ids = np.arange(5, 25, dtype="int32")[None]
    model(
        input_ids=ids,
        global_attention_mask=np.zeros_like(ids),
        labels=ids[:, :6],
        training=True,
    ).loss.backward()
    # `DistributedDataParallel` would wait for those that have no gradient.
    unused = [v.path for v in model.trainable_variables if v.value.grad is None]
    assert not unused

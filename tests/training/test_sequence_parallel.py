"""Documents spread over devices give the numbers of one device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led.training import SequenceParallel

ROOT = Path(__file__).resolve().parents[2]
BACKEND = keras.backend.backend()

on_jax = pytest.mark.skipif(BACKEND != "jax", reason="devices of JAX")


@pytest.fixture(scope="module")
def found():
    """What one process with eight devices has found."""
    flags = "--xla_force_host_platform_device_count=8"
    # Each program runs once or twice: most of the time goes into compiling.
    flags += " --xla_backend_optimization_level=0"
    flags += " --xla_llvm_disable_expensive_passes=true"
    flags += " --xla_cpu_use_fusion_emitters=false"
    result = subprocess.run(
        [sys.executable, "-m", "tests.training.in_shards"],
        cwd=ROOT,
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    parts = [json.loads(line) for line in result.stdout.splitlines()]
    return {name: part for line in parts for name, part in line.items()}


def assert_same(pair, tolerance=1e-4):
    gap, size = pair
    assert gap < tolerance < size


@on_jax
def test_hidden_states_and_gradients_are_those_of_one_device(found):
    gradients = found["gradients"]
    assert_same(gradients["hidden"])
    assert_same(gradients["loss"], 1e-5)
    assert len(gradients["gradients"]) == 55
    for path, (gap, size) in gradients["gradients"].items():
        assert gap < 1e-5, path
        # A bias of keys changes nothing.
        unused = path.endswith(("/key/bias", "/k_proj/bias"))
        assert size > 1e-4 or unused or "key_global/bias" in path, path


@on_jax
def test_gradients_drop_what_was_dropped(found):
    noise = found["noise"]
    one, other = noise["losses"]
    assert abs(one - other) > 1e-3
    assert abs(noise["slope"]) > 0.1
    assert abs(noise["rise"] - noise["slope"]) < 0.05 * abs(noise["slope"])


@on_jax
def test_a_document_may_have_fewer_tokens_than_devices(found):
    assert_same(found["encoding"]["hidden"])


@on_jax
def test_more_global_tokens_than_slots_are_refused(found):
    assert "Received: 5 in the masks" in found["encoding"]["message"]
    assert found["encoding"]["unread"]


@on_jax
@pytest.mark.parametrize("mesh", ["all", "halves", "three axes"])
def test_fit_has_the_losses_of_one_device(found, mesh):
    losses = found["training"]["one"]
    assert losses[-1] < losses[0] - 0.1
    np.testing.assert_allclose(found["training"][mesh], losses, atol=1e-4)


@on_jax
def test_the_position_table_lies_in_shards(found):
    shares = [found["training"][f"table of {x}"] for x in ("all", "halves")]
    assert shares == [[12, 16], [24, 16]]
    assert found["training"]["table of three axes"] == [48, 8]


@on_jax
@pytest.mark.parametrize("call", ["greedy", "beams", "look-up"])
def test_generate_writes_the_tokens_of_one_device(found, call):
    one, many = found["generation"][call]
    assert one == many
    assert len({token for row in one for token in row}) > 3


def mesh(*names):
    (device, *_) = keras.distribution.list_devices()
    shape = (1,) * len(names)
    return keras.distribution.DeviceMesh(shape, list(names), [device])


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has it")
def test_other_backends_say_what_is_possible_instead():
    with pytest.raises(
        NotImplementedError, match=f"{BACKEND}.*DistributedData"
    ):
        SequenceParallel(None)


@on_jax
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sequence_axis": "tokens"}, ValueError, "sequence_axis='tokens'"),
        ({"batch_axis": "batch"}, ValueError, "batch_axis='batch'"),
        ({"batch_axis": "sequence"}, ValueError, "for both"),
        ({"layout_map": {}}, ValueError, "LayoutMap"),
        ({"device_mesh": (1, 8)}, TypeError, "a tuple"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    arguments = {"device_mesh": mesh("data", "sequence"), **arguments}
    with pytest.raises(error, match=message):
        SequenceParallel(**arguments)


@on_jax
def test_a_layout_map_is_one_on_the_mesh():
    layouts = keras.distribution.LayoutMap(mesh("data", "sequence"))
    with pytest.raises(ValueError, match="the same `DeviceMesh`"):
        SequenceParallel(mesh("data", "sequence"), layouts)


@on_jax
def test_attention_weights_are_refused():
    ids = np.arange(5, 17, dtype="int32")[None]
    with SequenceParallel(mesh("data", "sequence")).scope():
        model = LEDForConditionalGeneration(
            LEDConfig(
                vocab_size=20,
                d_model=8,
                encoder_layers=1,
                decoder_layers=1,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=8,
                decoder_ffn_dim=8,
                attention_window=4,
                max_encoder_position_embeddings=16,
                max_decoder_position_embeddings=16,
            )
        )
        with pytest.raises(ValueError, match="`output_attentions` must be"):
            model(ids, decoder_input_ids=ids, output_attentions=True)

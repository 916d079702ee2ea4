"""Documents spread over devices or processes give the numbers of one."""

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
on_torch = pytest.mark.skipif(BACKEND != "torch", reason="processes of PyTorch")
on_both = pytest.mark.skipif(BACKEND == "tensorflow", reason="no shards")
MESHES = {"jax": ["all", "halves", "three axes"], "torch": ["2", "4"]}
SIZES = {"jax": ["8"], "torch": ["2", "4"]}


@pytest.fixture(scope="module")
def found():
    """What eight devices of JAX, or four processes of PyTorch, have found."""
    script = {"jax": "in_shards", "torch": "in_processes"}[BACKEND]
    flags = "--xla_force_host_platform_device_count=8"
    # Each program runs once or twice: most of the time goes into compiling.
    flags += " --xla_backend_optimization_level=0"
    flags += " --xla_llvm_disable_expensive_passes=true"
    flags += " --xla_cpu_use_fusion_emitters=false"
    # Else Keras' `fit` imports TensorFlow in each process.
    paths = [os.environ.get("PYTHONPATH"), str(ROOT / "tests/no_tensorflow")]
    result = subprocess.run(
        [sys.executable, "-m", f"tests.training.{script}"],
        cwd=ROOT,
        env={
            **os.environ,
            "XLA_FLAGS": flags,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    parts = [json.loads(line) for line in result.stdout.splitlines()]
    return {name: part for line in parts for name, part in line.items()}


def assert_same(pair, tolerance=1e-4):
    gap, size = pair
    assert gap < tolerance < size


def assert_gradients_are_same(pairs):
    for path, (gap, size) in pairs.items():
        assert gap < 1e-5, path
        # A bias of keys changes nothing; tokens that are not there neither.
        unused = ("/key/bias", "/k_proj/bias", "key_global/bias")
        assert size > 1e-4 or path.endswith(unused), path


@on_both
@pytest.mark.parametrize("size", SIZES.get(BACKEND, [None]))
def test_hidden_states_and_gradients_are_those_of_one_device(found, size):
    gradients = found["gradients"][size]
    assert_same(gradients.pop("hidden"), 1e-5)
    assert_same(gradients.pop("loss"), 1e-5)
    assert len(gradients) == 55
    assert_gradients_are_same(gradients)


@on_torch
def test_layers_are_computed_once_more_out_of_the_scope(found):
    gradients = found["checkpointing"]
    assert len(gradients) == 55
    for path, (gap, _) in gradients.items():
        assert gap < 1e-5, path


@on_torch
def test_processes_share_out_batches_and_documents(found):
    assert len(found["batches"]) == 56
    assert_gradients_are_same(found["batches"])


@on_both
def test_gradients_drop_what_was_dropped(found):
    noise = found["noise"]
    one, other = noise["losses"]
    assert abs(one - other) > 1e-3
    assert abs(noise["slope"]) > 0.1
    assert abs(noise["rise"] - noise["slope"]) < 0.05 * abs(noise["slope"])


@on_torch
def test_dropout_repeats_and_is_that_of_the_first_process(found):
    assert found["noise"]["apart"] == 0
    assert found["noise"]["range"] == 0
    assert found["noise"]["seeds"] == 4  # but that on tokens of a document


@on_both
def test_a_document_may_have_fewer_tokens_than_devices(found):
    assert_same(found["encoding"]["hidden"])


@on_jax
def test_more_global_tokens_than_slots_are_refused(found):
    assert "Received: 5 in the masks" in found["encoding"]["message"]
    assert found["encoding"]["unread"]


@on_both
@pytest.mark.parametrize("mesh", MESHES.get(BACKEND, [None]))
def test_fit_has_the_losses_of_one_device(found, mesh):
    losses = found["training"]["one"]
    assert losses[-1] < losses[0] - 0.1
    np.testing.assert_allclose(found["training"][mesh], losses, atol=1e-4)


@on_jax
def test_the_position_table_lies_in_shards(found):
    shares = [found["training"][f"table of {x}"] for x in ("all", "halves")]
    assert shares == [[12, 16], [24, 16]]
    assert found["training"]["table of three axes"] == [48, 8]


@on_both
@pytest.mark.parametrize("call", ["greedy", "beams", "look-up", "contrastive"])
def test_generate_writes_the_tokens_of_one_device(found, call):
    one, many = found["generation"][call]
    assert one == many
    assert len({token for row in one for token in row}) > 2


@on_jax
@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [("adapters", 1e-6), ("mixed_bfloat16", 8e-3)],
)
def test_weights_of_each_kind_fit_as_on_one_device(found, kind, tolerance):
    one, many = found["kinds"][kind]
    assert one[-1] < one[0]
    np.testing.assert_allclose(many, one, atol=tolerance)


@on_jax
def test_int8_weights_write_the_tokens_of_one_device(found):
    one, many = found["kinds"]["int8"]
    assert one == many
    assert len({token for row in one for token in row}) > 2


@on_torch
@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("no ranks", "Received: ['cpu:0']. All are DeviceMesh((1, 4),"),
        ("others", "that of this one, {rank}, among them"),
        ("two axes", "length 1 on every axis but 'sequence'"),
        ("layouts", "`layout_map` must be empty on PyTorch"),
        ("past", "`past_key_values` must be None"),
        ("weights", "`output_attentions` must be False"),
        ("documents", "the same documents and weights"),
    ],
)
def test_every_process_says_what_it_does_not_take(found, call, message):
    for rank, said in enumerate(found["refusals"][call]):
        assert message.format(rank=rank) in said


@on_torch
def test_processes_must_have_formed_a_group():
    with pytest.raises(RuntimeError, match="`torchrun`"):
        SequenceParallel(mesh("data", "sequence"))


def mesh(*names):
    device = 0
    if BACKEND == "jax":
        (device, *_) = keras.distribution.list_devices()
    shape = (1,) * len(names)
    return keras.distribution.DeviceMesh(shape, list(names), [device])


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others have it")
def test_tensorflow_says_what_is_possible_instead():
    with pytest.raises(NotImplementedError, match="'tensorflow'.*jax or torch"):
        SequenceParallel(None)


@on_both
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


@on_both
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

import json

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file
from safetensors.numpy import save_file

from keras_led.checkpoints import load_pretrained_weights
from keras_led.checkpoints import save_pretrained_weights
from keras_led.checkpoints import torch_reader
from tests.checkpoints.fakes import FakeModel
from tests.checkpoints.fakes import assert_same
from tests.checkpoints.fakes import random_weights
from tests.checkpoints.fakes import tiny_config
from tests.checkpoints.fakes import torch_state

HEADS = [None, "generation", "classification", "question_answering"]


def write_safetensors(directory, state):
    save_file(state, directory / "model.safetensors", {"format": "pt"})


def write_bin(directory, state, name="pytorch_model.bin", **options):
    torch = pytest.importorskip("torch")
    tensors = {key: torch.from_numpy(value) for key, value in state.items()}
    torch.save(tensors, directory / name, **options)


def write_old_bin(directory, state):
    write_bin(directory, state, _use_new_zipfile_serialization=False)


def write_wrapped_bin(directory, state):
    torch = pytest.importorskip("torch")
    tensors = {key: torch.from_numpy(value) for key, value in state.items()}
    content = {"state_dict": tensors, "epoch": 3}
    torch.save(content, directory / "pytorch_model.bin")


def in_shards(directory, state, stem, suffix, write):
    """Writes two shards and their index with `write(directory, part, name)`."""
    keys, weight_map = list(state), {}
    for number, part in enumerate((keys[::2], keys[1::2]), start=1):
        name = f"{stem}-{number:05d}-of-00002{suffix}"
        write(directory, {key: state[key] for key in part}, name)
        weight_map.update(dict.fromkeys(part, name))
    index = {"metadata": {}, "weight_map": weight_map}
    path = directory / f"{stem}{suffix}.index.json"
    path.write_text(json.dumps(index))


def write_safetensors_shards(directory, state):
    in_shards(
        directory,
        state,
        "model",
        ".safetensors",
        lambda d, part, name: save_file(part, d / name, {"format": "pt"}),
    )


def write_bin_shards(directory, state):
    in_shards(directory, state, "pytorch_model", ".bin", write_bin)


WRITERS = [
    write_safetensors,
    write_safetensors_shards,
    write_bin,
    write_old_bin,
    write_wrapped_bin,
    write_bin_shards,
]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("prefix", ["led", ""])
@pytest.mark.parametrize("head", HEADS)
def test_every_format_gives_the_values(tmp_path, write, prefix, head):
    config = tiny_config()
    weights = random_weights(config, head)
    write(tmp_path, torch_state(weights, prefix))
    model = FakeModel(config, head)
    load_pretrained_weights(model, tmp_path)
    assert_same(model.values(), weights)


@pytest.mark.parametrize(
    "prefix", ["model.", "module.", "_orig_mod.", "model.module._orig_mod."]
)
@pytest.mark.parametrize("write", [write_safetensors_shards, write_wrapped_bin])
def test_weights_of_a_wrapped_model_are_read(tmp_path, write, prefix):
    config = tiny_config()
    weights = random_weights(config, "generation")
    state = {prefix + k: v for k, v in torch_state(weights).items()}
    write(tmp_path, state)
    model = FakeModel(config, "generation")
    load_pretrained_weights(model, tmp_path)
    assert_same(model.values(), weights)


def test_two_models_in_a_file_are_told_in_a_few_lines(tmp_path):
    state = torch_state(random_weights(tiny_config()))
    both = {
        p + k: v.copy()
        for p in ("student.", "tutor.")
        for k, v in state.items()
    }
    write_safetensors(tmp_path, both)
    with pytest.raises(
        ValueError, match="begin with student., tutor."
    ) as error:
        load_pretrained_weights(FakeModel(tiny_config()), tmp_path)
    assert len(str(error.value)) < 1500


@pytest.mark.parametrize("key", ["state_dict", "model", "module"])
def test_weights_beside_an_optimizer_are_read(tmp_path, key):
    torch = pytest.importorskip("torch")
    weights = random_weights(tiny_config())
    state = torch_state(weights)
    tensors = {name: torch.from_numpy(x) for name, x in state.items()}
    content = {key: tensors, "optimizer": {"lr": 1e-3}, "epoch": 3}
    torch.save(content, tmp_path / "pytorch_model.bin")
    model = FakeModel(tiny_config())
    load_pretrained_weights(model, tmp_path)
    assert_same(model.values(), weights)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("write", [write_safetensors, write_bin])
def test_values_are_cast_to_the_type_of_the_variable(tmp_path, write, name):
    config = tiny_config()
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    weights = {
        key: value.astype(dtype)
        for key, value in random_weights(config).items()
    }
    state = torch_state(weights)
    if write is write_bin and name == "bfloat16":
        torch = pytest.importorskip("torch")
        tensors = {
            key: torch.from_numpy(value.astype("float32")).bfloat16()
            for key, value in state.items()
        }
        torch.save(tensors, tmp_path / "pytorch_model.bin")
    else:
        write(tmp_path, state)
    for wanted in ("float32", "bfloat16"):
        model = FakeModel(config, dtype=wanted)
        load_pretrained_weights(model, tmp_path)
        target = np.dtype(getattr(ml_dtypes, wanted, wanted))
        expected = {key: value.astype(target) for key, value in weights.items()}
        assert_same(model.values(), expected)


@pytest.mark.parametrize(
    "alias",
    [
        "led.shared.weight",
        "led.encoder.embed_tokens.weight",
        "led.decoder.embed_tokens.weight",
        "lm_head.weight",
    ],
)
def test_any_name_of_the_tied_table_suffices(tmp_path, alias):
    config = tiny_config()
    weights = random_weights(config, "generation")
    state = torch_state(weights)
    state[alias] = state.pop("led.shared.weight")
    write_safetensors(tmp_path, state)
    for head in ("generation", None):
        model = FakeModel(config, head)
        load_pretrained_weights(model, tmp_path)
        np.testing.assert_array_equal(
            model.values()["shared/embeddings"], weights["shared/embeddings"]
        )


def test_all_names_of_the_tied_table_must_agree(tmp_path):
    config = tiny_config()
    weights = random_weights(config, "generation")
    state = torch_state(weights)
    for alias in ("led.encoder.embed_tokens.weight", "lm_head.weight"):
        state[alias] = state["led.shared.weight"].copy()
    write_safetensors(tmp_path, state)
    model = FakeModel(config, "generation")
    load_pretrained_weights(model, tmp_path)
    assert_same(model.values(), weights)
    state["lm_head.weight"][2, 3] += 1
    write_safetensors(tmp_path, state)
    model = FakeModel(config, "generation")
    with pytest.raises(ValueError, match="different.*lm_head.*embeddings=Fal"):
        load_pretrained_weights(model, tmp_path)
    assert set(map(type, model.values().values())) == {type(None)}


def test_untied_tables_are_four(tmp_path):
    config = tiny_config(tie_word_embeddings=False)
    weights = random_weights(config, "generation")
    write_safetensors(tmp_path, torch_state(weights))
    model = FakeModel(config, "generation")
    load_pretrained_weights(model, tmp_path)
    assert_same(model.values(), weights)


def test_untied_table_that_is_missing_is_taken_from_shared(tmp_path):
    config = tiny_config(tie_word_embeddings=False)
    weights = random_weights(config, "generation")
    state = torch_state(weights)
    del state["led.decoder.embed_tokens.weight"], state["lm_head.weight"]
    write_safetensors(tmp_path, state)
    model = FakeModel(config, "generation")
    with pytest.warns(UserWarning) as caught:
        load_pretrained_weights(model, tmp_path)
    texts = [str(w.message) for w in caught]
    assert len(texts) == 2
    assert "has no led.decoder.embed_tokens.weight" in texts[0]
    assert "led.shared.weight are taken" in texts[1]
    shared = weights["shared/embeddings"]
    values = model.values()
    np.testing.assert_array_equal(values["lm_head/kernel"], shared.T)
    np.testing.assert_array_equal(
        values["decoder/embed_tokens/embeddings"], shared
    )
    np.testing.assert_array_equal(
        values["encoder/embed_tokens/embeddings"],
        weights["encoder/embed_tokens/embeddings"],
    )


def test_old_file_without_final_logits_bias(tmp_path):
    config = tiny_config()
    state = torch_state(random_weights(config, "generation"))
    del state["final_logits_bias"]
    write_safetensors(tmp_path, state)
    model = FakeModel(config, "generation")
    load_pretrained_weights(model, tmp_path)
    bias = model.values()["final_logits_bias"]
    np.testing.assert_array_equal(bias, np.zeros((1, 23), "float32"))


def test_head_of_another_task_is_left_out_and_a_new_one_warns(tmp_path):
    config = tiny_config()
    weights = random_weights(config, "generation")
    write_safetensors(tmp_path, torch_state(weights))
    model = FakeModel(config, "classification")
    with pytest.warns(UserWarning, match="has no classification_head.*train"):
        load_pretrained_weights(model, tmp_path)
    values = model.values()
    assert values["classification_head/dense/kernel"] is None
    kernel = "decoder/layers.0/fc1/kernel"
    np.testing.assert_array_equal(values[kernel], weights[kernel])


def test_half_a_head_is_an_error(tmp_path):
    config = tiny_config()
    state = torch_state(random_weights(config, "classification"))
    del state["classification_head.dense.bias"]
    write_safetensors(tmp_path, state)
    with pytest.raises(ValueError, match="Missing .1.: classification_head.de"):
        load_pretrained_weights(FakeModel(config, "classification"), tmp_path)


def test_all_faults_are_one_error_before_anything_is_assigned(tmp_path):
    config = tiny_config()
    state = torch_state(random_weights(config, "generation"))
    del state["led.encoder.layers.1.fc2.bias"]
    del state["led.decoder.layernorm_embedding.weight"]
    state["led.encoder.layers.2.fc1.bias"] = np.zeros(10, "float32")
    state["led.encoder.layers.0.fc1.weight"] = np.zeros((8, 10), "float32")
    state["led.encoder.layers.0.fc1.bias"] = np.zeros(10, "int32")
    state["led.version"] = np.zeros(1, "float32")
    write_safetensors(tmp_path, state)
    model = FakeModel(config, "generation")
    message = (
        r"Missing \(2\): .*led.encoder.layers.1.fc2.bias.*"
        r"Unexpected \(2\): led.encoder.layers.2.fc1.bias, led.version.*"
        r"Wrong shape \(1\): led.encoder.layers.0.fc1.weight: expected "
        r"\(10, 8\), found \(8, 10\).*"
        r"type \(1\): led.encoder.layers.0.fc1.bias: I32"
    )
    with pytest.raises(ValueError, match=message):
        load_pretrained_weights(model, tmp_path)
    assert all(value is None for value in model.values().values())


def test_mismatched_sizes_can_be_ignored(tmp_path):
    state = torch_state(random_weights(tiny_config(), "classification"))
    write_safetensors(tmp_path, state)
    model = FakeModel(tiny_config(num_labels=5), "classification")
    with pytest.raises(ValueError, match=r"out_proj.bias: expected \(5,\), fo"):
        load_pretrained_weights(model, tmp_path)
    with pytest.warns(UserWarning, match="classification_head.out_proj.bias"):
        load_pretrained_weights(model, tmp_path, ignore_mismatched_sizes=True)
    values = model.values()
    assert values["classification_head/out_proj/bias"] is None
    assert values["classification_head/dense/bias"] is not None


def test_same_weight_under_two_names_is_an_error(tmp_path):
    state = torch_state(random_weights(tiny_config()))
    state["encoder.layernorm_embedding.bias"] = np.zeros(8, "float32")
    write_safetensors(tmp_path, state)
    with pytest.raises(ValueError, match="several names: .*embedding.bias"):
        load_pretrained_weights(FakeModel(tiny_config()), tmp_path)


def test_safetensors_are_preferred(tmp_path):
    config = tiny_config()
    weights = random_weights(config)
    write_bin(tmp_path, torch_state(random_weights(config, seed=5)))
    write_safetensors(tmp_path, torch_state(weights))
    model = FakeModel(config)
    load_pretrained_weights(model, tmp_path)
    assert_same(model.values(), weights)


def test_file_and_index_can_be_named(tmp_path):
    config = tiny_config()
    weights = random_weights(config)
    write_bin_shards(tmp_path, torch_state(weights))
    write_bin(tmp_path, torch_state(weights), name="other.bin")
    for name in ("other.bin", "pytorch_model.bin.index.json"):
        model = FakeModel(config)
        load_pretrained_weights(model, tmp_path / name)
        assert_same(model.values(), weights)


def test_directory_without_weights_names_the_files(tmp_path):
    message = f"{tmp_path} must hold model.safetensors or .*tf_model.h5"
    with pytest.raises(FileNotFoundError, match=message):
        load_pretrained_weights(FakeModel(tiny_config()), tmp_path)


def test_bin_file_is_mapped_anew_without_losing_a_value(tmp_path, monkeypatch):
    config = tiny_config()
    weights = random_weights(config)
    write_bin(tmp_path, torch_state(weights))
    loads = []
    load = torch_reader.TorchFile._load
    monkeypatch.setattr(torch_reader, "REMAP_BYTES", 300)
    monkeypatch.setattr(
        torch_reader.TorchFile, "_load", lambda f: loads.append(0) or load(f)
    )
    model = FakeModel(config)
    load_pretrained_weights(model, tmp_path)
    assert_same(model.values(), weights)
    assert len(loads) > 5


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("max_shard_size", ["5GB", 2000])
def test_what_is_saved_is_loaded(tmp_path, head, max_shard_size):
    config = tiny_config()
    weights = random_weights(config, head)
    write_safetensors(tmp_path, torch_state(weights))
    model = FakeModel(config, head)
    load_pretrained_weights(model, tmp_path)
    target = tmp_path / "saved"
    save_pretrained_weights(model, target, max_shard_size=max_shard_size)
    again = FakeModel(config, head)
    load_pretrained_weights(again, target)
    assert_same(again.values(), weights)
    if max_shard_size == "5GB":
        prefix = "led" if head else ""
        assert_same(
            load_file(target / "model.safetensors"),
            torch_state(weights, prefix),
        )

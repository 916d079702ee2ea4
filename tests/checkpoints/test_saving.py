import json
import os

import numpy as np
import pytest
from safetensors import safe_open

from keras_led.checkpoints import save_pretrained_weights
from keras_led.checkpoints.sharding import parse_size
from keras_led.checkpoints.tensorflow_saving import save_tensorflow_weights
from keras_led.files import write_json
from tests.checkpoints.fakes import FakeModel
from tests.checkpoints.fakes import random_weights
from tests.checkpoints.fakes import tiny_config
from tests.files.folders import check_kills


def filled_model(dtype="float32"):
    config = tiny_config()
    model = FakeModel(config, "generation", dtype)
    values = random_weights(config, "generation").values()
    for variable, value in zip(model.weights, values, strict=True):
        variable.assign(value.astype(dtype))
    return model


def test_file_says_that_it_is_pytorch_and_is_aligned(tmp_path):
    save_pretrained_weights(filled_model(), tmp_path)
    path = tmp_path / "model.safetensors"
    with safe_open(path, "numpy") as file:
        assert file.metadata() == {"format": "pt"}
        assert file.get_tensor("led.encoder.layers.0.fc1.weight").shape == (
            10,
            8,
        )
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_shards_keep_to_the_limit_and_the_index_is_complete(tmp_path):
    save_pretrained_weights(filled_model(), tmp_path, max_shard_size=2000)
    path = tmp_path / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    sizes = {}
    for name in set(index["weight_map"].values()):
        with safe_open(tmp_path / name, "numpy") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        assert {index["weight_map"][key] for key in tensors} == {name}
        sizes[name] = sum(tensor.nbytes for tensor in tensors.values())
    assert len(sizes) > 2
    assert max(sizes.values()) <= 2000
    assert sum(sizes.values()) == index["metadata"]["total_size"]
    assert sorted(os.listdir(tmp_path)) == sorted([*sizes, path.name])


def test_files_of_an_older_save_go_and_others_stay(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    save_pretrained_weights(filled_model(), tmp_path, max_shard_size=2000)
    save_pretrained_weights(filled_model(), tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["config.json", "model.safetensors"]
    save_pretrained_weights(filled_model(), tmp_path, max_shard_size=2000)
    assert not (tmp_path / "model.safetensors").exists()


def test_failing_save_leaves_the_old_one(tmp_path):
    model = filled_model()
    save_pretrained_weights(model, tmp_path)
    old = (tmp_path / "model.safetensors").read_bytes()
    model.weights[-1].value = np.zeros((2, 2), "float32")
    with pytest.raises(ValueError, match="final_logits_bias.*shape=.2, 2."):
        save_pretrained_weights(model, tmp_path, max_shard_size=2000)
    assert os.listdir(tmp_path) == ["model.safetensors"]
    assert (tmp_path / "model.safetensors").read_bytes() == old


@pytest.mark.parametrize(
    ("dtype", "code"), [("float16", "F16"), ("bfloat16", "BF16"), (None, "F32")]
)
def test_type_of_the_file(tmp_path, dtype, code):
    save_pretrained_weights(filled_model(), tmp_path, dtype=dtype)
    with safe_open(tmp_path / "model.safetensors", "numpy") as file:
        types = {file.get_slice(key).get_dtype() for key in file.keys()}
        assert types == {code}


def test_bad_arguments_are_named(tmp_path):
    with pytest.raises(ValueError, match="`dtype`.*dtype='int8'"):
        save_pretrained_weights(filled_model(), tmp_path, dtype="int8")
    model = FakeModel(tiny_config(), dtype="int8")
    with pytest.raises(
        ValueError, match="quantized|floating-point.*dtype=int8"
    ):
        save_pretrained_weights(model, tmp_path)
    for size in ("5 parsecs", 0, -1, "0GB", None, True):
        with pytest.raises(ValueError, match="`max_shard_size`.*5GB"):
            save_pretrained_weights(
                filled_model(), tmp_path, max_shard_size=size
            )
    assert os.listdir(tmp_path) == []


def test_sizes_are_decimal_or_binary():
    assert parse_size("5GB") == 5_000_000_000
    assert parse_size("1.5 MiB") == 3 * 2**19
    assert parse_size("200kb") == 200_000


def save_small(folder, size=10**6, value=0.0, save=save_pretrained_weights):
    """Saves a model all of one value, and options that say which."""
    model = FakeModel(tiny_config(), "generation")
    for variable in model.weights:
        variable.assign(np.full(variable.shape, value, "float32"))
    options = {"generation_config.json": value, "tokenizer_config.json": value}
    save(
        model,
        folder,
        max_shard_size=size,
        write_beside=lambda staging: [
            write_json(staging / name, {"value": value})
            for name, value in {"config.json": value, **options}.items()
        ],
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [(10**6, 10**6), (4000, 10**6), (10**6, 4000), (4000, 3000)],
)
def test_killed_save_is_the_old_one_or_the_new(tmp_path, monkeypatch, old, new):
    check_kills(
        monkeypatch,
        tmp_path,
        lambda folder: save_small(folder, old),
        lambda folder: save_small(folder, new, 1.0),
    )


def test_killed_save_for_tensorflow(tmp_path, monkeypatch):
    check_kills(
        monkeypatch,
        tmp_path,
        lambda folder: save_small(folder, 20000, 0.0, save_tensorflow_weights),
        lambda folder: save_small(folder, 10**6, 1.0, save_tensorflow_weights),
    )


def test_files_that_belong_to_an_older_model_go(tmp_path):
    save_small(tmp_path)
    for name in ("vocab.json", "added_tokens.json", "notes.txt"):
        (tmp_path / name).write_text("{}")

    def write_beside(staging):
        write_json(staging / "config.json", {})
        write_json(staging / "vocab.json", {})

    save_pretrained_weights(filled_model(), tmp_path, write_beside=write_beside)
    assert sorted(os.listdir(tmp_path)) == [
        "config.json",
        "model.safetensors",
        "notes.txt",
        "vocab.json",
    ]

"""TensorFlow's files out, laid out as `transformers` 4.57 wrote them."""

import json
import os

import h5py
import pytest
from safetensors.numpy import load_file

from tests.checkpoints.fakes import assert_same
from tests.checkpoints.test_conversion import run
from tests.checkpoints.test_conversion import write_led
from tests.checkpoints.test_tensorflow_files import DIRECTORY


@pytest.mark.parametrize("kind", ["h5", "sharded", "safetensors", "bare"])
@pytest.mark.parametrize("max_shard_size", ["5GB", 8000])
def test_tensorflow_round_trip_is_bit_exact(tmp_path, kind, max_shard_size):
    report = run(DIRECTORY / kind, tmp_path / "pt")
    kernels = [r for r in report["tensors"] if "fc1.weight" in r["target"]]
    assert all(row["transposed"] for row in kernels)
    run(
        tmp_path / "pt",
        tmp_path / "tf",
        to="tf-h5",
        max_shard_size=max_shard_size,
    )
    run(tmp_path / "tf", tmp_path / "again")
    assert_same(
        load_file(tmp_path / "again" / "model.safetensors"),
        load_file(tmp_path / "pt" / "model.safetensors"),
    )


def names_in(path):
    """What the reader of transformers 4 goes by: paths and attributes."""
    found = {}
    with h5py.File(path) as file:
        found["layers"] = sorted(map(as_text, file.attrs["layer_names"]))
        for layer, group in file.items():
            if "weight_names" in group.attrs:
                texts = map(as_text, group.attrs["weight_names"])
                found[layer] = sorted(t.replace("_1/", "/") for t in texts)
        file.visititems(
            lambda name, item: (
                found.setdefault("data", set()).add(
                    (name.replace("_1/", "/"), item.shape)
                )
                if hasattr(item, "shape")
                else None
            )
        )
    return found


def as_text(name):
    return name.decode() if isinstance(name, bytes) else name


@pytest.mark.parametrize("kind", ["h5", "bare"])
def test_h5_file_is_laid_out_as_by_the_peer(tmp_path, kind):
    run(DIRECTORY / kind, tmp_path / "tf", to="tf-h5")
    ours = names_in(tmp_path / "tf" / "tf_model.h5")
    assert ours == names_in(DIRECTORY / kind / "tf_model.h5")


def test_h5_shards_are_laid_out_as_by_the_peer(tmp_path):
    run(DIRECTORY / "h5", tmp_path / "tf", to="tf-h5", max_shard_size=12000)
    ours, theirs = (
        {
            name.replace("_1/", "/")
            for name in json.loads(
                (directory / "tf_model.h5.index.json").read_text()
            )["weight_map"]
        }
        for directory in (tmp_path / "tf", DIRECTORY / "sharded")
    )
    assert ours == theirs
    data = [set(), set()]
    for found, directory in zip(
        data, (tmp_path / "tf", DIRECTORY / "sharded"), strict=True
    ):
        for path in directory.glob("*.h5"):
            part = names_in(path)
            found |= part["data"]
            assert part["layers"] == sorted(name for name, _ in part["data"])
    assert data[0] == data[1]


def test_long_lists_of_names_are_split(tmp_path, monkeypatch):
    from keras_led.checkpoints import hdf5_writer

    monkeypatch.setattr(hdf5_writer, "_MAX_ATTRIBUTE_BYTES", 3000)
    run(DIRECTORY / "h5", tmp_path / "tf", to="tf-h5")
    with h5py.File(tmp_path / "tf" / "tf_model.h5") as file:
        attributes = file["led"].attrs
        assert "weight_names" not in attributes
        count = len(attributes)
        parts = [attributes[f"weight_names{i}"] for i in range(count)]
    assert count > 1
    with h5py.File(DIRECTORY / "h5" / "tf_model.h5") as file:
        expected = file["led"].attrs["weight_names"]
    assert sum(map(len, parts)) == len(expected)


@pytest.mark.parametrize("head", ["classification", "question_answering"])
def test_head_that_tensorflow_never_had(tmp_path, head):
    write_led(tmp_path / "a", head, num_labels=2)
    with pytest.raises(ValueError, match=f"head='{head}'"):
        run(tmp_path / "a", tmp_path / "b", to="tf-h5")
    assert os.listdir(tmp_path) == ["a"]

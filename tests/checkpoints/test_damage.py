"""Damaged and malicious files: one clear error, and nothing is run."""

import errno
import json
import os
import pickle
import zipfile

import h5py
import numpy as np
import pytest

from keras_led.checkpoints import load_pretrained_weights
from keras_led.checkpoints import open_checkpoint
from keras_led.checkpoints import safetensors_reader
from tests.checkpoints.fakes import FakeModel
from tests.checkpoints.fakes import random_weights
from tests.checkpoints.fakes import tiny_config
from tests.checkpoints.fakes import torch_state
from tests.checkpoints.test_loading import write_bin
from tests.checkpoints.test_loading import write_bin_shards
from tests.checkpoints.test_loading import write_safetensors
from tests.checkpoints.test_loading import write_safetensors_shards


def state():
    return torch_state(random_weights(tiny_config()))


def load(path):
    load_pretrained_weights(FakeModel(tiny_config()), path)


def change(path, edit):
    content = bytearray(path.read_bytes())
    edited = edit(content)
    path.write_bytes(content if edited is None else edited)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
@pytest.mark.parametrize("write", [write_safetensors, write_bin])
def test_file_cut_short_is_named(tmp_path, write, keep):
    write(tmp_path, state())
    (path,) = tmp_path.iterdir()
    change(path, lambda content: content[:keep])
    with pytest.raises(ValueError, match=f"{path.name} .*(damaged|tensors)"):
        load(tmp_path)


@pytest.mark.parametrize("length", [0, 5, 2**40, 2**63 + 1])
def test_wrong_length_of_a_header(tmp_path, length):
    write_safetensors(tmp_path, state())
    path = tmp_path / "model.safetensors"
    change(path, lambda c: length.to_bytes(8, "little") + c[8:])
    with pytest.raises(ValueError, match=r"model.safetensors cannot be read"):
        load(tmp_path)


def test_tensor_named_twice_in_a_header(tmp_path):
    part = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    name = "led.shared.weight"
    text = f'{{"{name}":{part},"{name}":{part}}}'.encode()
    content = len(text).to_bytes(8, "little") + text + b"\0" * 4
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="names led.shared.weight twice"):
        load(tmp_path)


def test_flipped_bit_in_a_zip_archive(tmp_path):
    write_bin(tmp_path, state())
    path = tmp_path / "pytorch_model.bin"

    def flip(content):
        content[len(content) // 2] ^= 8

    change(path, flip)
    with pytest.raises(ValueError, match="pytorch_model.bin.*(checksum|damag)"):
        load(tmp_path)


def test_compressed_zip_archive_is_refused(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 100_000)
    with pytest.raises(ValueError, match="archive/data.pkl"):
        load(tmp_path)


class Attack:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("kind", ["zip", "old", "plain pickle"])
def test_code_in_a_pickle_is_not_run(tmp_path, kind):
    torch = pytest.importorskip("torch")
    proof = tmp_path / "proof"
    path = tmp_path / "pytorch_model.bin"
    content = {"led.shared.weight": Attack(proof)}
    if kind == "plain pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        zipped = kind == "zip"
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match="pytorch_model.bin.*Nothing.*run"):
        load(tmp_path)
    assert not proof.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "it holds a list"),
        ({"led.shared.weight": 3}, "'led.shared.weight' is not a named"),
        ({7: None}, "7 is not a named tensor"),
        ({}, "none of its 0 tensors"),
    ],
)
def test_pickle_of_something_else(tmp_path, content, message):
    torch = pytest.importorskip("torch")
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_sparse_tensor_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    content = {"led.shared.weight": torch.eye(3).to_sparse()}
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="led.shared.weight is not dense"):
        load(tmp_path)


@pytest.mark.parametrize("write", [write_safetensors_shards, write_bin_shards])
def test_missing_shard_is_named(tmp_path, write):
    write(tmp_path, state())
    (shard,) = tmp_path.glob("*-00002-of-00002*")
    shard.unlink()
    with pytest.raises(FileNotFoundError, match=f"the file {shard.name}"):
        load(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../secret.safetensors", "/etc/x.bin", "a/b.bin", "..", "", 7, "\0"],
)
def test_index_must_not_lead_elsewhere(tmp_path, name):
    (tmp_path / "secret.safetensors").write_bytes(b"")
    model = tmp_path / "model"
    model.mkdir()
    index = {"weight_map": {"led.shared.weight": name}}
    path = model / "model.safetensors.index.json"
    path.write_text(json.dumps(index))
    with pytest.raises(ValueError, match="index.json.*must lie beside it"):
        load(model)


@pytest.mark.parametrize("content", ["{}", "[]", '{"weight_map": []}', "{"])
def test_damaged_index_is_named(tmp_path, content):
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ValueError, match="model.safetensors.index.json"):
        load(tmp_path)


def test_index_that_names_an_absent_tensor(tmp_path):
    write_safetensors_shards(tmp_path, state())
    path = tmp_path / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    index["weight_map"]["led.extra.weight"] = "model-00001-of-00002.safetensors"
    path.write_text(json.dumps(index))
    with pytest.raises(ValueError, match="not there: led.extra.weight in mod"):
        load(tmp_path)


def test_tensor_in_two_shards(tmp_path):
    write_safetensors_shards(tmp_path, state())
    first, second = sorted(tmp_path.glob("*.safetensors"))
    second.write_bytes(first.read_bytes())
    with pytest.raises(ValueError, match="00002.*00001.*too"):
        load(tmp_path)


def test_file_of_another_model_is_no_random_model(tmp_path):
    write_safetensors(tmp_path, {"bert.x": np.zeros(1, "float32")})
    with pytest.raises(ValueError, match="none of its 1 tensors.*bert.x"):
        load(tmp_path)


@pytest.mark.parametrize("how", ["external", "virtual", "link"])
def test_hdf5_file_must_not_point_to_other_files(tmp_path, how):
    (tmp_path / "secret").write_bytes(b"\0" * 400)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.zeros((4, 8), "float32")
    name = "led/layer/led/shared/embeddings:0"
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        if how == "external":
            where = [(str(tmp_path / "secret"), 0, 128)]
            file.create_dataset(name, (4, 8), "float32", external=where)
        elif how == "virtual":
            layout = h5py.VirtualLayout((4, 8), "float32")
            layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", (4, 8))
            file.create_virtual_dataset(name, layout)
        else:
            file[name] = h5py.ExternalLink(tmp_path / "other.h5", "x")
    message = "another file|none of its 0 tensors"
    with pytest.raises(ValueError, match=f"tf_model.h5.*({message})"):
        load(tmp_path / "tf_model.h5")


@pytest.mark.parametrize("suffix", ["txt", "npz", "keras"])
def test_unknown_kind_of_file_is_named(tmp_path, suffix):
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(b"x")
    with pytest.raises(ValueError, match=f"Received: .*weights.{suffix}"):
        load(path)


def test_tensors_that_repeat_a_few_bytes_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    table = torch.zeros(1).expand(10**5, 10**3)
    torch.save({"led.shared.weight": table}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="model.bin .*fill 400,000,000 bytes"):
        open_checkpoint(tmp_path)
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        file.create_dataset(
            "led.shared/embeddings:0", (10**9,), "f4", chunks=True
        )
    with pytest.raises(ValueError, match="model.h5 .*fill 4,000,000,000 by"):
        open_checkpoint(tmp_path / "tf_model.h5")


def test_lack_of_descriptors_is_no_damage(tmp_path, monkeypatch):
    write_safetensors(tmp_path, state())

    def no_descriptor(*arguments, **options):
        # What the library says of a file that it may not open.
        raise FileNotFoundError("No such file or directory")

    def open_none(path, *arguments):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), path)

    monkeypatch.setattr(safetensors_reader, "safe_open", no_descriptor)
    monkeypatch.setattr(os, "open", open_none)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        open_checkpoint(tmp_path)


def test_data_shorter_than_its_tensors_is_refused(tmp_path):
    write_bin(tmp_path, state())
    path = tmp_path / "pytorch_model.bin"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    data = next(name for name in parts if "/data/" in name)
    parts[data] = b""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="model.bin .*(longer than its|damag)"):
        load(tmp_path)


def test_shard_that_is_a_link_to_itself_is_missing(tmp_path):
    write_safetensors_shards(tmp_path, state())
    shard = tmp_path / "model-00002-of-00002.safetensors"
    shard.unlink()
    shard.symlink_to(shard.name)
    with pytest.raises(FileNotFoundError, match=f"the file {shard.name}"):
        load(tmp_path)

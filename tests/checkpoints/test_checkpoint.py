"""A checkpoint that another process replaces or changes while it is read."""

import os
import pathlib

import numpy as np
import pytest

from keras_led.checkpoints import checkpoint as checkpoint_module
from keras_led.checkpoints import load_pretrained_weights
from keras_led.checkpoints import open_checkpoint
from keras_led.checkpoints import save_pretrained_weights
from keras_led.checkpoints import saving
from keras_led.checkpoints import torch_reader
from keras_led.checkpoints.tensorflow_saving import save_tensorflow_weights
from tests.checkpoints.fakes import FakeModel
from tests.checkpoints.fakes import tiny_config
from tests.checkpoints.test_loading import write_bin


def model_of(value):
    model = FakeModel(tiny_config())
    for variable in model.weights:
        variable.assign(np.full(variable.shape, value, "float32"))
    return model


def save_torch(model, directory):
    directory.mkdir(exist_ok=True)
    state = {
        tensor.name: tensor.values() for tensor in saving.model_tensors(model)
    }
    write_bin(directory, state, name="new.bin")
    os.replace(directory / "new.bin", directory / "pytorch_model.bin")


def save_shards(model, directory):
    save_pretrained_weights(model, directory, max_shard_size=1000)


FORMATS = {
    "safetensors": save_pretrained_weights,
    "shards": save_shards,
    "torch": save_torch,
    "tensorflow": save_tensorflow_weights,
}


def values_of(checkpoint):
    """The set of all numbers of a checkpoint."""
    return {
        value
        for name in checkpoint.infos
        for value in np.unique(checkpoint.read(name)).tolist()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_open_checkpoint_stays_what_it_is(tmp_path, monkeypatch, name):
    if name == "torch":
        pytest.importorskip("torch")
    # Maps the file anew for each tensor.
    monkeypatch.setattr(torch_reader, "REMAP_BYTES", 1)
    FORMATS[name](model_of(1), tmp_path / "m")
    with open_checkpoint(tmp_path / "m") as checkpoint:
        FORMATS[name](model_of(2), tmp_path / "m")
        assert values_of(checkpoint) == {1}
    with open_checkpoint(tmp_path / "m") as checkpoint:
        assert values_of(checkpoint) == {2}


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_one_save_are_opened(tmp_path, monkeypatch, name):
    if name == "torch":
        pytest.importorskip("torch")
    FORMATS[name](model_of(1), tmp_path / "m")
    open_file, opened = checkpoint_module.open_weight_file, []

    def save_after_opening(path):
        opened.append(open_file(path))
        if len(opened) == 1:
            FORMATS[name](model_of(2), tmp_path / "m")
        return opened[-1]

    monkeypatch.setattr(
        checkpoint_module, "open_weight_file", save_after_opening
    )
    model = FakeModel(tiny_config())
    load_pretrained_weights(model, tmp_path / "m")
    found = {x for v in model.values().values() for x in np.unique(v).tolist()}
    assert found == {2}


@pytest.mark.parametrize("name", ["safetensors", "torch"])
def test_file_that_is_written_to_is_refused(tmp_path, name):
    if name == "torch":
        pytest.importorskip("torch")
    FORMATS[name](model_of(1), tmp_path)
    (path,) = pathlib.Path(tmp_path).iterdir()
    with open_checkpoint(tmp_path) as checkpoint:
        content = path.read_bytes()
        os.utime(path, ns=(0, 0))
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{path.name} must not change"):
            values_of(checkpoint)

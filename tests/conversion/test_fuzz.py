"""Hundreds of damaged checkpoints: a clear error, or the very same weights.

A format without checksums (safetensors, HDF5) cannot tell a flipped bit in
the values from another value; every other damage has to be an error that
names a file or a tensor. Whatever happens, no code runs, nothing is written
but the target, and no half target stays.
"""

import json
import os
import pickle
import random
import shutil
import warnings

import pytest
from safetensors.numpy import save_file

from keras_led.checkpoints.conversion import convert
from keras_led.checkpoints.families import read_source
from tests.checkpoints.fakes import random_weights
from tests.checkpoints.fakes import tiny_config
from tests.checkpoints.fakes import torch_state
from tests.checkpoints.test_loading import write_bin
from tests.checkpoints.test_loading import write_bin_shards
from tests.checkpoints.test_loading import write_safetensors
from tests.checkpoints.test_loading import write_safetensors_shards

CONFIG = tiny_config(encoder_layers=1)
# What a damaged file may raise.
ERRORS = (ValueError, FileNotFoundError, TypeError)


def write_h5(directory, state):
    work = directory / "work"
    work.mkdir()
    CONFIG.save_pretrained(work)
    write_safetensors(work, state)
    with read_source(work) as weights:
        convert(weights, directory / "h5", to="tf-h5")
    shutil.move(directory / "h5" / "tf_model.h5", directory)
    shutil.rmtree(work)
    shutil.rmtree(directory / "h5")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A sound checkpoint of each format."""
    state = torch_state(random_weights(CONFIG, "generation"))
    made = {}
    for write in (
        write_safetensors,
        write_safetensors_shards,
        write_bin,
        write_bin_shards,
        write_h5,
    ):
        directory = tmp_path_factory.mktemp(write.__name__)
        write(directory, state)
        CONFIG.save_pretrained(directory)
        made[write.__name__.removeprefix("write_")] = directory
    return made


def attempt(source, target):
    """Converts; returns the checksums, or `None` after a clear error."""
    before = sorted(os.listdir(target.parent))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with read_source(source) as weights:
                report = convert(weights, target)
    except ERRORS as error:
        text = str(error)
        assert "`" in text or str(source) in text, repr(error)
        assert sorted(os.listdir(target.parent)) == before
        return None
    sums = {row["target"]: row["crc32"] for row in report["tensors"]}
    shutil.rmtree(target)
    return sums


def weight_files(directory):
    return sorted(p for p in directory.iterdir() if p.name != "config.json")


def flip(path, rng, start, end):
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 3))):
        place = rng.randrange(start, min(end, len(content)))
        content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def header_end(path):
    """Where the part of a file ends in which every bit matters."""
    if path.suffix == ".safetensors":
        return 8 + int.from_bytes(path.read_bytes()[:8], "little")
    return path.stat().st_size


@pytest.mark.parametrize(
    ("kind", "count", "least"),
    [
        ("safetensors", 120, 30),
        ("safetensors_shards", 60, 15),
        ("bin", 80, 20),
        ("bin_shards", 40, 10),
        ("h5", 60, 8),  # most of its bytes are values, or free
    ],
)
def test_flipped_bits(sources, tmp_path, kind, count, least):
    sound = attempt(sources[kind], tmp_path / "target")
    errors = 0
    for seed in range(count):
        rng = random.Random(seed)
        source = tmp_path / f"source{seed}"
        shutil.copytree(sources[kind], source)
        path = rng.choice(weight_files(source))
        flip(path, rng, 0, header_end(path))
        found = attempt(source, tmp_path / "target")
        shutil.rmtree(source)
        if found is None:
            errors += 1
        elif path.suffix in (".bin", ".json"):
            # Checksums: what was read is what had been written.
            assert found == sound, (kind, seed, path.name)
        else:
            assert found.keys() == sound.keys(), (kind, seed, path.name)
    assert errors >= least


@pytest.mark.parametrize(
    "kind", ["safetensors", "safetensors_shards", "bin", "bin_shards", "h5"]
)
def test_files_cut_short(sources, tmp_path, kind):
    for seed in range(25):
        rng = random.Random(seed)
        source = tmp_path / f"source{seed}"
        shutil.copytree(sources[kind], source)
        path = rng.choice(weight_files(source))
        size = path.stat().st_size
        os.truncate(path, rng.choice((0, 1, 7, size - 1, rng.randrange(size))))
        found = attempt(source, tmp_path / "target")
        shutil.rmtree(source)
        # HDF5 may end in room that nothing uses.
        assert found is None or kind == "h5", (kind, seed)


def test_headers_of_wrong_length(sources, tmp_path):
    for seed in range(40):
        rng = random.Random(seed)
        source = tmp_path / f"source{seed}"
        shutil.copytree(sources["safetensors"], source)
        path = source / "model.safetensors"
        content = path.read_bytes()
        true = int.from_bytes(content[:8], "little")
        wrong = rng.choice((0, 1, true - 1, true + 1, 2**31, 2**63, 2**64 - 1))
        path.write_bytes(wrong.to_bytes(8, "little") + content[8:])
        assert attempt(source, tmp_path / "target") is None, wrong
        shutil.rmtree(source)


@pytest.mark.parametrize("kind", ["safetensors_shards", "bin_shards"])
def test_shards_that_are_missing_or_swapped(sources, tmp_path, kind):
    for seed in range(20):
        rng = random.Random(seed)
        source = tmp_path / f"source{seed}"
        shutil.copytree(sources[kind], source)
        first, second = (p for p in weight_files(source) if p.suffix != ".json")
        if seed % 2:
            rng.choice((first, second)).unlink()
        else:
            shutil.copy(first, second)
        assert attempt(source, tmp_path / "target") is None
        shutil.rmtree(source)


def test_names_and_types_that_are_wrong(sources, tmp_path):
    sound = torch_state(random_weights(CONFIG, "generation"))
    names = sorted(sound)
    for seed in range(60):
        rng = random.Random(seed)
        state = dict(sound)
        name = rng.choice([n for n in names if n != "final_logits_bias"])
        damage = ("lost", "twice", "type", "shape", "renamed")[seed % 5]
        if damage == "lost":
            del state[name]
        elif damage == "twice":
            state[name.removeprefix("led.")] = state[name]
        elif damage == "type":
            state[name] = state[name].astype(rng.choice(("int8", "int64")))
        elif damage == "shape":
            state[name] = state[name].reshape(1, *state[name].shape)
        else:
            state[name + "s"] = state.pop(name)
        source = tmp_path / f"source{seed}"
        source.mkdir()
        CONFIG.save_pretrained(source)
        save_file(state, source / "model.safetensors", {"format": "pt"})
        assert attempt(source, tmp_path / "target") is None, (damage, name)
        shutil.rmtree(source)


class Attack:
    """A pickle that makes a directory when it is loaded carelessly."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_malicious_pickles(tmp_path):
    torch = pytest.importorskip("torch")
    proof = str(tmp_path / "proof")
    attacks = [
        Attack(os.mkdir, proof),
        Attack(os.system, f"mkdir {proof}"),
        Attack(eval, f"__import__('os').mkdir({proof!r})"),
        Attack(exec, f"__import__('os').mkdir({proof!r})"),
        Attack(pickle.loads, pickle.dumps(Attack(os.mkdir, proof))),
        Attack(__import__, "this"),
    ]
    state = {
        name: torch.from_numpy(value)
        for name, value in torch_state(random_weights(CONFIG)).items()
    }
    for number, attack in enumerate(attacks):
        for place in ("value", "name", "whole", "wrapped"):
            for form in ("zip", "old", "plain"):
                source = tmp_path / f"source{number}{place}{form}"
                source.mkdir()
                CONFIG.save_pretrained(source)
                content = {
                    "value": {**state, "led.extra.weight": attack},
                    "name": {**state, attack: torch.zeros(1)},
                    "whole": attack,
                    "wrapped": {"state_dict": state, "args": attack},
                }[place]
                path = source / "pytorch_model.bin"
                if form == "plain":
                    path.write_bytes(pickle.dumps(attack, protocol=2))
                else:
                    torch.save(
                        content,
                        path,
                        _use_new_zipfile_serialization=form == "zip",
                    )
                assert attempt(source, tmp_path / "target") is None
                assert not os.path.exists(proof)
                shutil.rmtree(source)


def test_paths_in_an_index(sources, tmp_path):
    secret = tmp_path / "secret.safetensors"
    shutil.copy(sources["safetensors"] / "model.safetensors", secret)
    tricks = [
        "../secret.safetensors",
        "./../secret.safetensors",
        "x/../../secret.safetensors",
        "..\\secret.safetensors",
        str(secret),
        f"file://{secret}",
        "C:secret.safetensors",
        "~/secret.safetensors",
        "..",
        ".",
        "",
        "\0",
        None,
        3,
        ["secret.safetensors"],
        {"a": 1},
    ]
    for number, trick in enumerate(tricks):
        source = tmp_path / f"source{number}"
        shutil.copytree(sources["safetensors_shards"], source)
        path = source / "model.safetensors.index.json"
        index = json.loads(path.read_text())
        name = random.Random(number).choice(sorted(index["weight_map"]))
        index["weight_map"][name] = trick
        path.write_text(json.dumps(index))
        assert attempt(source, tmp_path / "target") is None, trick
        shutil.rmtree(source)


def test_damaged_configs(sources, tmp_path):
    content = (sources["safetensors"] / "config.json").read_bytes()
    for seed in range(40):
        rng = random.Random(seed)
        source = tmp_path / f"source{seed}"
        shutil.copytree(sources["safetensors"], source)
        values = json.loads(content)
        name = rng.choice(("d_model", "encoder_layers", "attention_window"))
        values[name] = rng.choice((-1, 0, "x", None, 10**9 + 1, [], {}, 1.5))
        text = json.dumps(values)
        if seed % 4 == 0:
            text = text[: rng.randrange(1, len(text) - 1)]
        (source / "config.json").write_text(text)
        assert attempt(source, tmp_path / "target") is None, text
        shutil.rmtree(source)


def test_flipped_values_change_that_tensor_only(sources, tmp_path):
    sound = attempt(sources["safetensors"], tmp_path / "target")
    for seed in range(20):
        rng = random.Random(seed)
        source = tmp_path / f"source{seed}"
        shutil.copytree(sources["safetensors"], source)
        path = source / "model.safetensors"
        content = bytearray(path.read_bytes())
        place = rng.randrange(header_end(path), len(content))
        content[place] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        found = attempt(source, tmp_path / "target")
        assert sum(found[name] != sound[name] for name in sound) == 1
        shutil.rmtree(source)

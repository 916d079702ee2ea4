"""Uploads to a small server that speaks as much of the hub as they need."""

import pytest
from huggingface_hub import constants

from keras_led.files.upload import push_to_hub
from tests.files.fake_hub import running_hub
from tests.files.fake_hub import uploaded


@pytest.fixture
def hub(monkeypatch):
    with running_hub(monkeypatch) as server:
        yield server


def write_model(directory):
    directory.mkdir()
    (directory / "config.json").write_text('{"model_type": "led"}')
    (directory / "README.md").write_text("# LED\n")
    return directory


# What may lie beside a checkpoint and is of use on this machine only.
PRIVATE = (
    ".model.safetensors.0123.tmp",
    ".save.tmp/new/model.safetensors",
    "adapters/.adapter_config.json.0123.tmp",
    "adapters/.adapters.lock",
    "run/settings.json",
    "run/state.npz",
    "run/tokenizer/vocab.json",
)


def write_private(directory):
    for name in PRIVATE:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text("/home/someone")


def test_directory_is_one_commit(tmp_path, hub):
    folder = write_model(tmp_path / "m")
    write_private(folder)
    (folder / "runs").mkdir()
    (folder / "runs" / "notes.md").write_text("of the author\n")
    address = push_to_hub(
        folder,
        "owner/name",
        token="hf_test",
        private=True,
        commit_message="First",
    )
    assert address == f"{hub.address}/owner/name/commit/1"
    assert hub.created["name"] == "name"
    # huggingface_hub 2 says it this way, older ones `"private": True`.
    assert hub.created.get("visibility") == "private" or hub.created["private"]
    assert {call[1] for call in hub.calls if call[1]} == {"Bearer hf_test"}
    assert hub.commit[0]["value"]["summary"] == "First"
    assert uploaded(hub) == {
        "README.md": b"# LED\n",
        "config.json": b'{"model_type": "led"}',
        "runs/notes.md": b"of the author\n",
    }


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, PermissionError, "owner/name .status 401.*`token=`"),
        (403, PermissionError, "owner/name .status 403.*`token=`"),
        (400, ConnectionError, "did not take the upload to owner/name"),
    ],
)
def test_refusal_says_what_to_do(tmp_path, hub, status, error, message):
    hub.refuse = status
    with pytest.raises(error, match=message):
        push_to_hub(
            write_model(tmp_path / "m"),
            "owner/name",
            token="hf_test",
        )


def test_what_is_no_saved_model_is_named(tmp_path):
    with pytest.raises(NotADirectoryError, match="directory=.*nowhere"):
        push_to_hub(tmp_path / "nowhere", "owner/name")
    with pytest.raises(FileNotFoundError, match="config.json.*directory="):
        push_to_hub(tmp_path, "owner/name")


def test_offline_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConnectionError, match="owner/name.*HF_HUB_OFFLINE"):
        push_to_hub(write_model(tmp_path / "m"), "owner/name", token="hf_x")

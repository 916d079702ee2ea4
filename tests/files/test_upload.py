"""Uploads to a small server that speaks as much of the hub as they need."""

import base64
import http.server
import json
import threading

import pytest
from huggingface_hub import constants

from keras_led.files.upload import push_to_hub


class FakeHub(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hub = self.server
        hub.calls.append((self.path, self.headers.get("Authorization")))
        if hub.refuse:
            self.answer({"error": "no"}, hub.refuse)
        elif self.path == "/api/repos/create":
            hub.created = json.loads(body)
            self.answer({"url": f"{hub.address}/owner/name"})
        elif self.path == "/api/validate-yaml":  # the head of README.md
            self.answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            self.answer(
                {
                    "files": [
                        {
                            "path": file["path"],
                            "uploadMode": "regular",
                            "shouldIgnore": False,
                        }
                        for file in files
                    ]
                }
            )
        elif "/commit/" in self.path:
            hub.commit = [json.loads(line) for line in body.splitlines()]
            self.answer(
                {
                    "commitUrl": f"{hub.address}/owner/name/commit/1",
                    "commitOid": "1",
                    "success": True,
                }
            )
        else:
            self.answer({"error": "unknown"}, 404)

    def do_GET(self):
        self.server.calls.append((self.path, None))
        if self.server.refuse:
            self.answer({"error": "no"}, self.server.refuse)
            return
        self.answer({"sha": "0", "siblings": [], "id": "owner/name"})

    def answer(self, content, status=200):
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        """Keeps the output of the tests clean."""


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    server.address = f"http://127.0.0.1:{server.server_port}"
    server.calls, server.refuse = [], None
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def write_model(directory):
    directory.mkdir()
    (directory / "config.json").write_text('{"model_type": "led"}')
    (directory / "README.md").write_text("# LED\n")
    (directory / ".model.safetensors.0123.tmp").write_text("half")
    return directory


def test_directory_is_one_commit(tmp_path, hub):
    address = push_to_hub(
        write_model(tmp_path / "m"),
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
    header, *files = hub.commit
    assert header["value"]["summary"] == "First"
    content = {
        entry["value"]["path"]: base64.b64decode(entry["value"]["content"])
        for entry in files
    }
    assert content == {
        "README.md": b"# LED\n",
        "config.json": b'{"model_type": "led"}',
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

"""A small server that speaks as much of the hub as uploads need."""

import base64
import contextlib
import http.server
import json
import threading

from huggingface_hub import constants


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


@contextlib.contextmanager
def running_hub(monkeypatch):
    """Runs a `FakeHub`, which `huggingface_hub` takes for the hub."""
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


def uploaded(hub):
    """The files of the commit, as `{name: bytes}`."""
    return {
        entry["value"]["path"]: base64.b64decode(entry["value"]["content"])
        for entry in hub.commit[1:]
    }

"""A web server for the page, which this machine alone can reach."""

from functools import partial
from http.server import SimpleHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

from keras_led.typing import StrPath

HOST = "127.0.0.1"
# With the first two, browsers let WebAssembly run on several threads.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self):
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keeps quiet about every file."""


def make_server(directory: StrPath, port: int = 0) -> ThreadingHTTPServer:
    """A server of a folder, which listens but does not answer yet.

    Args:
        directory: str or path.
        port: int; 0 takes any free one.

    Returns:
        `ThreadingHTTPServer`; `serve_forever` lets it answer.

    Raises:
        OSError: If the port is taken.
    """
    handler = partial(_Handler, directory=str(directory))
    try:
        return ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise OSError(
            f"`port` must be free. Received: port={port}: {error.strerror}. "
            "Choose another one."
        ) from error

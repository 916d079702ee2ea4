"""Chromium, and the page with led-tiny, written and served once."""

import os
import shutil
import threading

import pytest

from keras_led.backend import name as backend_name
from keras_led.demo.browser_packages import browser_packages
from keras_led.demo.page_folder import write_page_folder
from keras_led.demo.page_server import make_server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing(what):
    """Skips, or fails where everything has to be there."""
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def packages():
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes what the page runs")
    if shutil.which("npm") is None:
        missing("npm")
    return browser_packages()


@pytest.fixture(scope="module")
def chromium():
    if backend_name != "tensorflow":
        pytest.skip("TensorFlow writes what the page runs")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        missing("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve(packages, tmp_path_factory):
    """Callable from an exported folder to the address of its page."""
    servers = []

    def start(exported, name="a model"):
        folder = tmp_path_factory.mktemp("page") / "files"
        write_page_folder(folder, exported, packages, name)
        server = make_server(folder)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        return f"http://{host}:{port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def led_tiny(packages):
    from keras_led import LEDForConditionalGeneration
    from keras_led import LEDTokenizer

    return (
        LEDForConditionalGeneration.from_pretrained("led-tiny"),
        LEDTokenizer.from_pretrained("led-tiny"),
    )


@pytest.fixture(scope="session")
def exported(led_tiny, tmp_path_factory):
    from keras_led import serving

    path = tmp_path_factory.mktemp("exported") / "onnx"
    return serving.export(led_tiny[0], path, led_tiny[1], format="onnx")

"""An exported model as the page of `keras-led demo` runs it, in Chromium."""

import contextlib
import shutil
import threading

import numpy as np

from keras_led.demo.browser_packages import browser_packages
from keras_led.demo.page_folder import write_page_folder
from keras_led.demo.page_server import make_server

LOAD = """async () => {
  const { LED } = await import("/led.js");
  const read = async (name) => await fetch(`/model/${name}`);
  const settings = await (await read("demo.json")).json();
  const files = {};
  for (const name of Object.keys(settings.files))
    files[name] = new Uint8Array(await (await read(name)).arrayBuffer());
  window.led = await LED.load(files, settings);
}"""
GENERATE = """async (ids) => {
  const tokens = [...window.led.settings.start_token_ids];
  for await (const { id } of window.led.generate(ids)) tokens.push(id);
  return tokens;
}"""


class BrowserLED:
    """Greedy search in a page.

    Args:
        page: a page of Playwright, at the address of the demo.
    """

    def __init__(self, page):
        self._page = page
        page.evaluate(LOAD)

    def generate(self, input_ids, **options):
        """Token ids of one document, int array `(1, T)`."""
        del options  # one beam, global attention on the first token
        return np.array([self._page.evaluate(GENERATE, input_ids[0].tolist())])


@contextlib.contextmanager
def browser_led(exported, folder):
    """Lends a `BrowserLED` of an exported ONNX folder.

    Args:
        exported: `pathlib.Path` of the ONNX folder.
        folder: `pathlib.Path` of the page, which is written.
    """
    from playwright.sync_api import sync_playwright

    write_page_folder(folder, exported, browser_packages(), "a model")
    with make_server(folder) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        host, port = server.server_address[:2]
        page.goto(f"http://{host}:{port}/")
        yield BrowserLED(page)
        browser.close()
        server.shutdown()

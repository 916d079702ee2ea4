"""`keras-led demo`: its files, its server, and what it refuses."""

import urllib.request

import pytest
from typer.testing import CliRunner

from keras_led.cli import app
from keras_led.demo import browser_packages as packages_module
from keras_led.demo.page_server import make_server
from keras_led.demo.page_settings import page_settings
from keras_led.serving.exported_folder import read_folder


def run(*arguments):
    return CliRunner().invoke(app, ["demo", *map(str, arguments)])


def test_static_files_are_written_once(exported, packages, tmp_path):
    folder = tmp_path / "public"
    done = run("--model", exported, "--write", folder)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in folder.iterdir()) == [
        "demo.css",
        "demo.js",
        "example.txt",
        "index.html",
        "led.js",
        "model",
        "rules.js",
        "runtime",
        "sources_view.css",
        "sources_view.js",
        "texts.js",
        "worker.js",
    ]
    assert sorted(path.name for path in (folder / "model").iterdir()) == [
        "decoder_model_merged.onnx",
        "demo.json",
        "encoder_model.onnx",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    again = run("--model", exported, "--write", folder)
    assert again.exit_code == 1
    assert "not empty" in again.output
    assert run("-m", exported, "--write", folder, "--force").exit_code == 0


def test_kinds_of_weights_are_checked_first(tmp_path):
    done = run("--quantize", "int3", "--write", tmp_path / "page")
    assert done.exit_code == 1
    assert "'int3'" in done.output


def test_a_port_in_use(tmp_path):
    with make_server(tmp_path) as server:
        port = server.server_address[1]
        with pytest.raises(OSError, match=f"port={port}"):
            make_server(tmp_path, port)


def test_the_server_lets_browsers_use_threads(tmp_path):
    import threading

    (tmp_path / "a.wasm").write_bytes(b"\0asm")
    with make_server(tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        assert host == "127.0.0.1"
        with urllib.request.urlopen(f"http://{host}:{port}/a.wasm") as answer:
            headers = answer.headers
        server.shutdown()
    assert headers["Content-Type"] == "application/wasm"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_without_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages_module.shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"npm was not found.*--write"):
        packages_module.browser_packages()


def test_what_npm_says_is_told(monkeypatch, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(packages_module.shutil, "which", lambda name: str(npm))
    with pytest.raises(RuntimeError, match="could not fetch.*no network"):
        packages_module.browser_packages()
    assert not (tmp_path / "cache" / "keras_led" / "demo").exists()


def test_a_rule_that_the_page_lacks(exported):
    found = read_folder(exported, (), "onnx")
    options = found.generation_config.copy(encoder_no_repeat_ngram_size=3)
    with pytest.raises(ValueError, match="EncoderNoRepeatNGram"):
        page_settings(found._replace(generation_config=options), "a model")


def test_a_model_without_text(exported):
    found = read_folder(exported, (), "onnx")
    with pytest.raises(ValueError, match="tokenizer"):
        page_settings(found._replace(tokenizer=None), "a model")

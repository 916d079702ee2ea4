"""The examples that serve an export by other people's engines."""

import concurrent.futures
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

from keras_led import LEDConfig
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import serving

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
START_SECONDS = 240

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="TensorFlow runs the export, whatever backend is chosen",
)


@pytest.fixture(scope="module")
def rows():
    lines = (EXAMPLES / "data" / "test.jsonl").read_text("utf-8").splitlines()
    documents = [json.loads(line)["document"] for line in lines[:8]]
    # Short ones and longer ones: batches of one length are to be made.
    return [
        {"key": f"page {n}", "document": text[: 200 if n % 2 else 1500]}
        for n, text in enumerate(documents)
    ]


@pytest.fixture(scope="module")
def served(rows, tmp_path_factory):
    """An export of a small model with random weights."""
    texts = [row["document"] for row in rows]
    keras.utils.set_random_seed(3)
    tokenizer = LEDTokenizer.train(texts, 400)
    config = LEDConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        attention_window=32,
        max_encoder_position_embeddings=512,
        max_decoder_position_embeddings=32,
        init_std=0.5,
    )
    model = LEDForConditionalGeneration(config)
    path = tmp_path_factory.mktemp("served") / "1"
    return serving.export(model, path, tokenizer, max_new_tokens=12)


@pytest.fixture(scope="module")
def expected(served, rows):
    """Summaries by calls of the export, a text at a time."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401

    model = tf.saved_model.load(str(served))
    answers = [
        model.signatures["summarize"](text=tf.constant([row["document"]]))
        for row in rows
    ]
    summaries = [answer["summary"].numpy()[0].decode() for answer in answers]
    assert len(set(summaries)) > len(rows) // 2
    return summaries


def run_beam(*arguments):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "summarize_with_beam.py", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr


def read(folder, pattern):
    lines = []
    for path in sorted(folder.glob(pattern)):
        lines += map(json.loads, path.read_text("utf-8").splitlines())
    return lines


def test_beam_summarizes_every_key_once_and_resumes(
    served, rows, expected, tmp_path
):
    bad = ["{no json", '{"key": 1, "document": 2}', '{"document": "no key"}']
    source = tmp_path / "rows.jsonl"
    lines = [*map(json.dumps, rows), *bad]
    # An earlier run has done the first three.
    (tmp_path / "earlier-0.jsonl").write_text(
        "".join(json.dumps({"key": row["key"]}) + "\n" for row in rows[:3])
    )
    source.write_text("\n".join(lines), encoding="utf-8")
    output = tmp_path / "summaries"
    run_beam(served, source, output, "--done", tmp_path / "earlier-*.jsonl")
    found = read(tmp_path, "summaries-0*.jsonl")
    keys = [row["key"] for row in found]
    assert sorted(keys) == [row["key"] for row in rows[3:]]
    texts = {row["key"]: text for row, text in zip(rows, expected, strict=True)}
    assert {row["key"]: row["summary"] for row in found} == {
        key: texts[key] for key in keys
    }
    failed = read(tmp_path, "summaries-failed*.jsonl")
    assert sorted(row["line"] for row in failed) == sorted(bad)
    reasons = " ".join(row["reason"] for row in failed)
    for word in ("JSONDecodeError", "`document` must be", "KeyError: 'key'"):
        assert word in reasons


STAND_IN = """
import argparse, json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import summarize_with_beam as example

class Handler(example.SummarizerHandler):
    def load_model(self):
        return argparse.Namespace()

    def run_inference(self, batch, model, inference_args=None):
        if any("poison" in text for text in batch):
            raise RuntimeError("a bad text")
        lengths = sorted(map(len, batch))
        return [example.PredictionResult(text, str(lengths)) for text in batch]

example.SummarizerHandler = Handler
example.summarize_files(argparse.Namespace(
    rows=sys.argv[2], output=sys.argv[3], directory="", batch_size=2, shards=1,
    done=None,
))
"""


def test_beam_batches_by_length_and_says_which_keys_failed(tmp_path):
    texts = ["a" * 900, "b" * 9000, "c" * 800, "d" * 9100, "poison", "e"]
    source = tmp_path / "rows.jsonl"
    rows = [{"key": n, "document": text} for n, text in enumerate(texts)]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STAND_IN, EXAMPLES]
        + [source, tmp_path / "made"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = {row["key"]: row["summary"] for row in read(tmp_path, "made-0*")}
    assert found[1] == found[3] == "[9000, 9100]"
    failed = read(tmp_path, "made-failed*")
    lost = [json.loads(row["line"]) for row in failed]
    assert rows[4] in lost
    assert len(lost) + len(found) == len(rows)
    assert {row["reason"] for row in failed} == {"RuntimeError('a bad text')"}


@pytest.fixture
def address(served):
    """Of a running server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / "serve_http.py", served]
        + ["--port", str(port), "--batch-timeout", "0.3"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        end = time.monotonic() + START_SECONDS
        while not _is_up(port):
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"no server:\n{process.stderr.read()}")
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _is_up(port):
    try:
        return ask(port, "GET", "/health")[0] == 200
    except OSError:
        return False


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(
            method, path, body, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_server_answers_requests_at_once(address, rows, expected):
    def summarize(row):
        body = json.dumps({"text": row["document"]})
        return ask(address, "POST", "/predict", body)

    with concurrent.futures.ThreadPoolExecutor(len(rows)) as threads:
        answers = list(threads.map(summarize, rows))
    assert [status for status, _ in answers] == [200] * len(rows)
    summaries = [json.loads(text)["summary"] for _, text in answers]
    assert summaries == expected
    status, text = ask(address, "POST", "/predict", '{"words": "none"}')
    assert status == 422
    assert 'must be {"text": STRING}' in json.loads(text)["detail"]

"""Compares exported models with the model: tokens, seconds, size on disk.

    KERAS_BACKEND=tensorflow python -m benchmarks.exported [--pages 20]

Exports a model for ONNX Runtime, float32 and int8, and for OpenVINO, greedy
and with beams, and prints the table of `docs/serving.md`; then ROUGE of the
float32 and int8 files on manual pages. Where Chromium and npm are, the page of
`keras-led demo` has a row too.
"""

import argparse
import contextlib
import io
import json
import shutil
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.browser import browser_led
from keras_led import LEDForConditionalGeneration
from keras_led import LEDTokenizer
from keras_led import serving
from keras_led.serving import OnnxLED
from keras_led.serving import OpenVINOLED
from keras_led.training.rouge import rouge_scores

PAGES = Path(__file__).parents[1] / "examples" / "data" / "test.jsonl"
LENGTHS = (1024, 4096)
BEAMS = (1, 4)


def parse():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="led-tiny")
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--data", type=Path, nargs="+", default=[PAGES])
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def export_all(model, tokenizer, folder, stack):
    """Dict of a name to a pair of what generates, by beams, and a size."""
    found = {}
    for name, options in (
        ("ONNX Runtime", {"format": "onnx"}),
        ("ONNX Runtime, int8", {"format": "onnx", "quantize": "int8"}),
    ):
        path = folder / name
        serving.export(model, path, tokenizer, **options)
        led = OnnxLED.from_pretrained(path)
        found[name] = (dict.fromkeys(BEAMS, led), size(path))
    leds = {}
    for beams in BEAMS:
        path = folder / f"openvino-{beams}"
        options = {"format": "openvino", "num_beams": beams}
        serving.export(model, path, tokenizer, **options)
        leds[beams] = OpenVINOLED.from_pretrained(path)
    found["OpenVINO"] = (leds, size(path))
    if shutil.which("chromium") and shutil.which("npm"):
        exported, page = folder / "ONNX Runtime", folder / "page"
        led = stack.enter_context(browser_led(exported, page))
        found["the browser, Chromium"] = ({1: led}, size(page))
    return found


def size(path):
    """Megabytes of a folder."""
    return sum(file.stat().st_size for file in path.rglob("*")) / 1e6


def document(tokenizer, pages, length):
    """One document of real text, global attention on the first token."""
    text = "\n".join(page["document"] for page in pages)
    ids = tokenizer(text, truncation=True, max_length=length)["input_ids"]
    ids = np.array([ids], "int32")
    wide = np.zeros_like(ids)
    wide[:, 0] = 1
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "global_attention_mask": wide,
    }


def seconds(function, repeats):
    """Median time of a call that has run before, and what it returns."""
    result, times = np.asarray(function()), []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def compare(model, exports, tokenizer, pages, repeats):
    """Prints the table."""
    cases = [(length, beams) for length in LENGTHS for beams in BEAMS]
    titles = [f"{n:,} tokens, {k} beam{'s'[: k > 1]}" for n, k in cases]
    print("| | tokens equal | " + " | ".join(titles) + " | MB |")
    print("|---|---|" + "---|" * (len(cases) + 1))
    given = {n: document(tokenizer, pages, n) for n in LENGTHS}
    expected, times = {}, []
    for length, beams in cases:
        took, expected[length, beams] = seconds(
            lambda n=length, k=beams: model.generate(**given[n], num_beams=k),
            repeats,
        )
        times.append(f"{took:.2f} s")
    print("| the model, TensorFlow | | " + " | ".join(times) + " | |")
    for name, (leds, megabytes) in exports.items():
        equal, times = [], []
        for length, beams in cases:
            if beams not in leds:
                times.append("")
                continue
            led, inputs = leds[beams], given[length]
            took, tokens = seconds(
                lambda led=led, x=inputs, k=beams: led.generate(
                    **x, num_beams=k
                ),
                repeats,
            )
            equal.append(np.array_equal(tokens, expected[length, beams]))
            times.append(f"{took:.2f} s")
        told = f"{sum(equal)} of {len(equal)}"
        row = (name, told, *times, f"{megabytes:.1f}")
        print("| " + " | ".join(row) + " |", flush=True)
    inputs = {k: x.astype("int64") for k, x in given[LENGTHS[-1]].items()}
    for name, (leds, _) in exports.items():
        if isinstance(leds[1], OnnxLED):
            took, _ = seconds(
                lambda led=leds[1]: led._sessions.encode(**inputs), repeats
            )
            print(f"encoder of {LENGTHS[-1]:,} tokens, {name}: {took:.3f} s")


def score(exports, pages):
    """Prints ROUGE of the ONNX files, and how many summaries are equal."""
    texts = [page["document"] for page in pages]
    references = [page["summary"] for page in pages]
    written = {}
    for name, (leds, _) in exports.items():
        if isinstance(leds[1], OnnxLED):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of long pages that are cut
                written[name] = leds[1].summarize(texts)
            scores = rouge_scores(written[name], references)
            print(name, {k: round(v, 2) for k, v in scores.items()}, flush=True)
    first, second = written.values()
    equal = sum(x == y for x, y in zip(first, second, strict=True))
    print(f"equal summaries: {equal} of {len(texts)} pages")


def main():
    """Exports, runs and prints."""
    chosen = parse()
    texts = [path.read_text(encoding="utf-8") for path in chosen.data]
    lines = "".join(texts).splitlines()
    pages = [json.loads(line) for line in lines][: chosen.pages]
    model = LEDForConditionalGeneration.from_pretrained(chosen.model)
    tokenizer = LEDTokenizer.from_pretrained(chosen.model)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.ExitStack() as stack,
    ):
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            exports = export_all(model, tokenizer, Path(folder), stack)
        compare(model, exports, tokenizer, pages, chosen.repeats)
        score(exports, pages)


if __name__ == "__main__":
    main()

"""Sends many requests to an export from several threads.

    python benchmarks/serving.py served/led/1

Every answer is compared with the one to the same request made alone; the
resident memory is read after a warm-up and at the end. Needs TensorFlow and
tensorflow-text, not keras_led.
"""

import argparse
import concurrent.futures
import json
import time
from pathlib import Path

import tensorflow as tf
import tensorflow_text  # noqa: F401, the operations of the text signature

PAGES = Path(__file__).parents[1] / "examples" / "data" / "test.jsonl"


def parse():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", help="directory of the SavedModel")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--max-new-tokens", type=int, default=8)
    return parser.parse_args()


def resident():
    """Memory of this process now, in MB."""
    fields = Path("/proc/self/status").read_text(encoding="ascii").split()
    return int(fields[fields.index("VmRSS:") + 1]) / 1e3


def texts(count):
    """Pieces of real pages, of 20 to 1,500 characters."""
    lines = PAGES.read_text(encoding="utf-8").splitlines()
    pages = [json.loads(line)["document"] for line in lines]
    sizes = (20, 90, 300, 800, 1500)
    return [
        pages[i % len(pages)][: sizes[i % len(sizes)]] for i in range(count)
    ]


def main():
    """Runs the load and prints what came of it."""
    chosen = parse()
    served = tf.saved_model.load(chosen.export).signatures["summarize"]
    _, inputs = served.structured_input_signature
    limit = {}
    if "max_new_tokens" in inputs:
        limit = {"max_new_tokens": tf.constant(chosen.max_new_tokens)}

    def ask(text):
        return served(text=tf.constant([text]), **limit)["summary"].numpy()[0]

    asked = texts(chosen.requests)
    alone = {text: ask(text) for text in dict.fromkeys(asked)}
    before, begin = resident(), time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(chosen.threads) as pool:
        answers = list(pool.map(ask, asked))
    seconds, after = time.perf_counter() - begin, resident()
    wrong = sum(
        answer != alone[text]
        for text, answer in zip(asked, answers, strict=True)
    )
    print(
        f"{len(answers)} of {len(asked)} requests answered, {wrong} unlike "
        f"alone, {seconds:.1f} s from {chosen.threads} threads; memory "
        f"{before:.0f} MB, then {after:.0f} MB"
    )


if __name__ == "__main__":
    main()

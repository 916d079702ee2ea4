"""Time to import, and to the first token of a summary, part by part.

    python -m benchmarks.startup                # a small model, made here
    python -m benchmarks.startup --model DIR    # a checkpoint with tokenizer

The import of keras_led stands beside that of Keras alone, fresh interpreters
in turn. The first token is what somebody waits for who starts `keras-led
summarize` on one document: import, loading, the encoder and one step of the
decoder. Compilation is what the first call takes longer than the second.
"""

import contextlib
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks import harness
from benchmarks.contenders import BACKENDS
from benchmarks.processes import ROOT
from benchmarks.processes import peak_gigabytes

TIMED_IMPORT = """
import time
started = time.perf_counter()
import {module}
print(time.perf_counter() - started)
"""
VOCABULARY = 1000
WORDS_OF_TEXT = 4000


def add_arguments(parser):
    """Adds the checkpoint to an `argparse` parser."""
    parser.add_argument(
        "--model", type=pathlib.Path, help="directory of model and tokenizer"
    )
    parser.add_argument("--tokens", type=int, nargs="+", default=[1024])


def cases(options):
    """One case for the import, and one a length for the first token."""
    model = {"model": str(options.model.resolve())}
    first = [
        {"part": "first token", "tokens": tokens, **model}
        for tokens in options.tokens
    ]
    return [{"part": "import"}, *first]


@contextlib.contextmanager
def small_model(options):
    """Sees to it that `options.model` is a directory with a checkpoint.

    Args:
        options: parsed command line; `model` is set.
    """
    if options.model is not None:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.startup"]
        environment = {"KERAS_BACKEND": "torch", **os.environ}
        command += ["--save", folder]
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        options.model = pathlib.Path(folder)
        try:
            yield
        finally:
            options.model = None


def some_text(words):
    """Text of made-up words, the same every time."""
    source = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    lexicon = ["".join(source.choices(letters, k=5)) for _ in range(500)]
    return " ".join(source.choices(lexicon, k=words))


def text_of(tokens, config, tokenizer):
    """Text of about so many tokens, and no more than the model reads."""
    limit = min(tokens, config.max_encoder_position_embeddings) - 2
    ids = tokenizer(some_text(tokens), add_special_tokens=False)["input_ids"]
    return tokenizer.decode(ids[:limit])


def save(folder):
    """Writes a small model with random weights, and its tokenizer."""
    import keras_led

    text = some_text(WORDS_OF_TEXT)
    tokenizer = keras_led.LEDTokenizer.train([text], VOCABULARY)
    config = keras_led.LEDConfig(
        vocab_size=len(tokenizer),
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        attention_window=[64, 64],
    )
    model = keras_led.LEDForConditionalGeneration(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def measure(contender, case):
    """Measures one backend in this process; returns a dict."""
    if case["part"] == "import":
        return measure_import(case["repeats"])
    return measure_first_token(case)


def measure_import(repeats):
    """Imports keras and keras_led in fresh interpreters, in turn.

    Args:
        repeats: int, times each.

    Returns:
        Dict with the seconds of both.
    """
    found = {"keras": [], "keras_led": []}
    for _ in range(repeats):
        for module, seconds in found.items():
            code = TIMED_IMPORT.format(module=module)
            done = subprocess.run(
                [sys.executable, "-c", code],
                check=True,
                capture_output=True,
                text=True,
            )
            seconds.append(round(float(done.stdout.splitlines()[-1]), 4))
    return {
        "seconds": found["keras_led"],
        "keras_seconds": statistics.median(found["keras"]),
    }


def measure_first_token(case):
    """Goes from the import to the first token, as `summarize` does.

    Args:
        case: dict with "model" and "tokens".

    Returns:
        Dict with the parts in seconds; "seconds" holds their sum.
    """
    parts, clock = {}, time.perf_counter
    started = clock()
    import keras_led
    import keras_led.cli

    # What `keras-led summarize` imports once its flags are read.
    import keras_led.cli.documents
    import keras_led.models.conditional_generation

    parts["import"] = clock() - started
    started = clock()
    tokenizer = keras_led.LEDTokenizer.from_pretrained(case["model"])
    model = keras_led.LEDForConditionalGeneration.from_pretrained(case["model"])
    parts["load"] = clock() - started
    from benchmarks.ours import numbers
    from keras_led.generation.inputs.arguments import read_request
    from keras_led.generation.loop.encode import encode
    from keras_led.generation.summaries import TokenizedDocuments

    text = text_of(case["tokens"], model.config, tokenizer)
    started = clock()
    documents = TokenizedDocuments(
        [text], tokenizer, model.config.max_encoder_position_embeddings
    )
    inputs = documents.batch([0])
    parts["tokenize"] = clock() - started
    options = {"num_beams": 1, "do_sample": False, "max_new_tokens": 1}
    request = read_request(
        model.config, model.generation_config, {**inputs, **options}
    )

    def run_encoder():
        padded, outputs = encode(model, request)
        numbers(outputs.last_hidden_state[:, -1])
        # Lengths are rounded up before compiling, and the mask with them.
        return {
            "attention_mask": numbers(padded["mask"]).astype("int32"),
            "encoder_outputs": outputs,
        }

    first, given = harness.time_calls(run_encoder, 1, 1)
    second, _ = harness.time_calls(
        lambda: numbers(model.generate(**given, **options)), 1, 1
    )
    parts["encode"], parts["decode"] = first["seconds"][0], second["seconds"][0]
    parts["compile"] = sum(
        max(0.0, one["warm_up_seconds"] - one["seconds"][0])
        for one in (first, second)
    )
    return {
        "seconds": [round(sum(parts.values()), 4)],
        "parts": {name: round(value, 4) for name, value in parts.items()},
        "peak_gigabytes": peak_gigabytes(),
    }


BENCHMARK = harness.Benchmark(
    name="startup",
    title="Time to import, and to the first token of a summary.",
    contenders=BACKENDS,
    add_arguments=add_arguments,
    cases=cases,
    measure=measure,
    prepare=small_model,
)

if __name__ == "__main__":
    if sys.argv[1:2] == ["--save"]:
        save(sys.argv[2])
    else:
        harness.main(BENCHMARK)

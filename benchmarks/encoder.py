"""Time and peak memory of the led-base encoder, ours beside Hugging Face's.

    python -m benchmarks.encoder                      # all, 4,096 and 16,384
    python -m benchmarks.encoder --tokens 4096 --contenders jax peer

Each measurement runs in a process of its own, and the contenders take turns,
so that none finds the machine warmer or emptier than the others. A process
builds a model of led-base shape with random weights (the numbers cost the
same as trained ones), runs warm-up calls, which compile, and times the calls
after them one by one; it waits for the result before it reads the clock.
Peak memory is the largest resident size of the process, framework and
weights (0.65 GB in float32) included.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import time

from benchmarks.processes import BACKENDS
from benchmarks.processes import PEER
from benchmarks.processes import measure_apart
from benchmarks.processes import peak_gigabytes
from benchmarks.processes import processor

LED_BASE = {
    "vocab_size": 50265,
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
    "max_encoder_position_embeddings": 16384,
    "max_decoder_position_embeddings": 1024,
    "attention_window": [1024] * 6,
}


def make_inputs(tokens, batch):
    """Random ids without padding, and global attention on the first token."""
    import numpy as np

    random = np.random.default_rng(0)
    shape = (batch, tokens)
    ids = random.integers(4, LED_BASE["vocab_size"], shape).astype("int32")
    wide = np.zeros(shape, "int32")
    wide[:, 0] = 1
    return ids, np.ones(shape, "int32"), wide


def peer_call(tokens, batch):
    """The encoder of Hugging Face's LED; returns a call and versions."""
    import torch
    import transformers

    model = transformers.LEDModel(transformers.LEDConfig(**LED_BASE)).eval()
    encoder = model.get_encoder()
    inputs = [torch.from_numpy(x).long() for x in make_inputs(tokens, batch)]
    names = ("input_ids", "attention_mask", "global_attention_mask")

    def call():
        with torch.inference_mode():
            output = encoder(**dict(zip(names, inputs, strict=True)))
            return float(output.last_hidden_state[0, -1, 0])

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        model.to(device)
        inputs = [x.to(device) for x in inputs]
    versions = {"torch": torch.__version__}
    return call, device, {**versions, "transformers": transformers.__version__}


def our_call(tokens, batch):
    """Our encoder as one compiled function; returns a call and versions."""
    import keras

    import keras_led
    from keras_led import backend

    model = keras_led.LEDModel(keras_led.LEDConfig(**LED_BASE))

    def encode(input_ids, attention_mask, global_attention_mask):
        return model.encode(
            input_ids,
            attention_mask=attention_mask,
            global_attention_mask=global_attention_mask,
        ).last_hidden_state

    compiled = backend.jit(encode, model)
    inputs = [
        keras.ops.convert_to_tensor(x) for x in make_inputs(tokens, batch)
    ]

    def call():
        # Reading one number waits for the device.
        return float(keras.ops.convert_to_numpy(compiled(*inputs)[0, -1, 0]))

    name = keras.backend.backend()
    library = __import__(name)
    device = inputs[0].device  # a tensor of every backend names its device
    versions = {"keras": keras.__version__, name: library.__version__}
    return call, device, versions


def measure(contender, tokens, batch, warm_up, repeats):
    """Measures one contender in this process; returns a dict."""
    make = peer_call if contender == PEER else our_call
    call, device, versions = make(tokens, batch)
    after_build = peak_gigabytes()
    started = time.perf_counter()
    for _ in range(warm_up):
        call()
    warm_up_seconds = time.perf_counter() - started
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return {
        "contender": contender,
        "device": str(device),
        "versions": versions,
        "dtype": "float32",
        "batch": batch,
        "tokens": tokens,
        "warm_up": warm_up,
        "warm_up_seconds": round(warm_up_seconds, 3),
        "seconds": [round(value, 3) for value in seconds],
        "peak_gigabytes": round(peak_gigabytes(), 2),
        "peak_gigabytes_before_calls": round(after_build, 2),
    }


def run_in_own_process(contender, tokens, options):
    """Runs `measure` in a fresh process; returns its dict."""
    arguments = {"tokens": tokens}
    for name in ("batch", "warm_up", "repeats"):
        arguments[name] = getattr(options, name)
    return measure_apart("benchmarks.encoder", contender, arguments)


def merge(runs):
    """Joins the runs of one contender and length to one record."""
    seconds = [value for run in runs for value in run["seconds"]]
    return {
        **runs[0],
        "processes": len(runs),
        "seconds": seconds,
        "median_seconds": round(statistics.median(seconds), 3),
        "peak_gigabytes": max(run["peak_gigabytes"] for run in runs),
    }


def report(record):
    """Prints one record as a line."""
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    count = len(record["seconds"])
    print(
        f"{record['tokens']:>6} tokens  {record['contender']:<10}  "
        f"median {record['median_seconds']:7.3f} s of {count} "
        f"(min {min(record['seconds']):.3f}, max "
        f"{max(record['seconds']):.3f})  peak "
        f"{record['peak_gigabytes']:.2f} GB  warm-up {record['warm_up']} in "
        f"{record['warm_up_seconds']:.1f} s  batch {record['batch']}, "
        f"{record['dtype']}, {record['device']}, {versions}",
        flush=True,
    )


def parse(arguments=None):
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    contenders = (*BACKENDS, PEER)
    parser.add_argument("--tokens", type=int, nargs="+", default=[4096, 16384])
    parser.add_argument(
        "--contenders", nargs="+", default=contenders, choices=contenders
    )
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--warm-up", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3, help="per process")
    parser.add_argument("--rounds", type=int, default=2, help="processes each")
    parser.add_argument("--output", default="benchmarks/encoder.json")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main():
    """Measures all contenders in turn, prints and writes the results."""
    options = parse()
    if options.measure:
        sizes = options.batch, options.warm_up, options.repeats
        print(json.dumps(measure(options.measure, options.tokens[0], *sizes)))
        return
    name, cores = processor()
    load = os.getloadavg()[0]
    print(f"{name}, {cores} cores, load {load:.1f} before the start")
    records = []
    for tokens in options.tokens:
        runs = {contender: [] for contender in options.contenders}
        for _ in range(options.rounds):
            for contender in options.contenders:
                runs[contender].append(
                    run_in_own_process(contender, tokens, options)
                )
        for found in runs.values():
            records.append(merge(found))
            report(records[-1])
    content = {
        "date": datetime.date.today().isoformat(),
        "processor": name,
        "cores": cores,
        "load_before": round(load, 2),
        "python": platform.python_version(),
        "config": LED_BASE,
        "results": records,
    }
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()

"""Time and peak memory of a training step, ours beside Hugging Face's.

    python -m benchmarks.training                     # the table of 2+2 layers
    python -m benchmarks.training --layers 6 --tokens 16384 --checkpointing on

A step is what `fit` does with a batch of one document: forward pass, loss,
backward pass and an AdamW update, compiled where the backend compiles. Each
measurement runs in a process of its own, one after another; the first step,
which compiles, is not counted. Peak memory is the largest resident size of
the process, framework, weights and optimizer state included.
"""

import argparse
import datetime
import json
import os
import statistics
import time

from benchmarks.encoder import LED_BASE
from benchmarks.encoder import make_inputs
from benchmarks.processes import BACKENDS
from benchmarks.processes import PEER
from benchmarks.processes import measure_apart
from benchmarks.processes import peak_gigabytes
from benchmarks.processes import processor

LEARNING_RATE = 1e-5


def config_of(layers):
    """The shape of led-base with `layers` + `layers` layers."""
    changes = {"encoder_layers": layers, "decoder_layers": layers}
    return {**LED_BASE, **changes, "attention_window": [1024] * layers}


def make_batch(tokens, targets):
    """A document and its target, random tokens."""
    import numpy as np

    names = ("input_ids", "attention_mask", "global_attention_mask")
    batch = dict(zip(names, make_inputs(tokens, 1), strict=True))
    random = np.random.default_rng(1)
    size = LED_BASE["vocab_size"]
    batch["labels"] = random.integers(4, size, (1, targets)).astype("int32")
    return batch


def peer_step(options, checkpointing):
    """A step of Hugging Face's LED; returns a call that gives the loss."""
    import torch
    import transformers

    config = transformers.LEDConfig(**config_of(options.layers))
    model = transformers.LEDForConditionalGeneration(config).train()
    if checkpointing:
        model.gradient_checkpointing_enable()
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE)
    batch = {
        name: torch.from_numpy(value).long()
        for name, value in make_batch(options.tokens, options.targets).items()
    }

    def step():
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def our_step(options, checkpointing):
    """A step of ours; returns a call that gives the loss."""
    import keras

    import keras_led

    config = keras_led.LEDConfig(**config_of(options.layers))
    model = keras_led.LEDForConditionalGeneration(config)
    if checkpointing:
        model.gradient_checkpointing_enable()
    model.compile(keras.optimizers.AdamW(LEARNING_RATE))
    batch = make_batch(options.tokens, options.targets)
    return lambda: float(model.train_on_batch(batch))


def measure(options):
    """Measures one contender in this process; returns a dict."""
    make = peer_step if options.measure == PEER else our_step
    step = make(options, options.checkpointing == "on")
    started = time.perf_counter()
    step()
    first = time.perf_counter() - started
    seconds = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        step()
        seconds.append(round(time.perf_counter() - started, 3))
    return {
        "contender": options.measure,
        "layers": options.layers,
        "tokens": options.tokens,
        "targets": options.targets,
        "checkpointing": options.checkpointing,
        "first_seconds": round(first, 1),
        "seconds": seconds,
        "median_seconds": round(statistics.median(seconds), 3),
        "peak_gigabytes": round(peak_gigabytes(), 2),
    }


def report(found, peer):
    """Prints one measurement as a line, beside the peer's."""
    line = (
        f"{found['tokens']:>6} tokens  checkpointing "
        f"{found['checkpointing']:<3}  {found['contender']:<10}  median "
        f"{found['median_seconds']:7.2f} s  (first {found['first_seconds']:.1f}"
        f" s)  peak {found['peak_gigabytes']:.2f} GB"
    )
    if peer and peer is not found:
        faster = peer["median_seconds"] / found["median_seconds"]
        smaller = found["peak_gigabytes"] / peer["peak_gigabytes"]
        line += f"  {faster:.1f} x faster, memory {smaller:.2f} x"
    print(line, flush=True)


def parse():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    contenders = (PEER, *BACKENDS)
    parser.add_argument("--tokens", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--targets", type=int, default=256, help="tokens")
    parser.add_argument("--layers", type=int, default=2, help="of each stack")
    parser.add_argument("--checkpointing", nargs="+", default=["off", "on"])
    parser.add_argument(
        "--contenders", nargs="+", default=contenders, choices=contenders
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", default="benchmarks/training.json")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    """Measures all contenders in turn, prints and writes the results."""
    options = parse()
    if options.measure:
        options.tokens = options.tokens[0]
        options.checkpointing = options.checkpointing[0]
        print(json.dumps(measure(options)))
        return
    name, cores = processor()
    load = round(os.getloadavg()[0], 2)
    print(
        f"{name}, {cores} cores, load {load} before the start; "
        f"{options.layers}+{options.layers} layers of led-base, batch 1, "
        f"{options.targets} target tokens, float32"
    )
    records = []
    for tokens in options.tokens:
        for checkpointing in options.checkpointing:
            peer = None
            for contender in options.contenders:
                found = measure_apart(
                    "benchmarks.training",
                    contender,
                    {
                        "layers": options.layers,
                        "tokens": tokens,
                        "targets": options.targets,
                        "checkpointing": checkpointing,
                        "repeats": options.repeats,
                    },
                )
                peer = found if contender == PEER else peer
                records.append(found)
                report(found, peer)
    content = {
        "date": datetime.date.today().isoformat(),
        "processor": name,
        "cores": cores,
        "load_before": load,
        "results": records,
    }
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()

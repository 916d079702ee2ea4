"""What PyTorch's steps cost beside arithmetic, ours beside Hugging Face's.

    KERAS_BACKEND=torch python -m benchmarks.overhead

A GPU is done with most operations of a step before Python has started the next
one. How long Python takes shows without a GPU, where the model is so small that
there is nothing to compute: 48 wide, 6+6 layers, a window of 64. All that a
GPU does otherwise is done here too: all blocks of a document at once, and the
attention and its gradient by PyTorch's kernel.

Contenders take turns in one process, with one thread; the times are processor
time. *Operations* are those of PyTorch but for views. *Reads* are the numbers
of tensors that Python reads, for each of which a GPU would have to be waited
for (not those of `torch.optim`, whose counters lie on the CPU). The *share of
Python* is what is left of a step without the operations.
"""

import argparse
import collections
import contextlib
import statistics
import sys
import time
from unittest import mock

import keras
import numpy as np
import torch
import transformers
from torch.utils._python_dispatch import TorchDispatchMode

import keras_led
from benchmarks import harness
from keras_led import backend
from keras_led.backend.block_layout import ON_ACCELERATOR
from keras_led.backend.block_layout import BlockLayout
from keras_led.backend.torch import attention
from keras_led.backend.torch import onednn

DTYPES = ("float32", "mixed_bfloat16")
READS = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal.default")
VIEWS = (
    *("view", "_unsafe_view", "detach", "alias", "expand", "slice", "select"),
    *("squeeze", "unsqueeze", "permute", "transpose", "t", "as_strided"),
    *("split", "unbind", "unfold", "lift_fresh"),
)


def config(layers, dropout=0.1):
    """Arguments of an `LEDConfig` of both libraries, a dict."""
    return {
        "vocab_size": 512,
        "d_model": 48,
        "encoder_layers": layers,
        "decoder_layers": layers,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 96,
        "decoder_ffn_dim": 96,
        "max_encoder_position_embeddings": 512,
        "max_decoder_position_embeddings": 128,
        "attention_window": [64] * layers,
        "dropout": dropout,
    }


def make_batch(tokens=512, targets=64):
    """A document, its first token global, and labels; int32 arrays."""
    random = np.random.default_rng(0)
    ids = random.integers(5, 512, (1, tokens)).astype("int32")
    wide = np.zeros_like(ids)
    wide[:, 0] = 1
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "global_attention_mask": wide,
        "labels": random.integers(5, 512, (1, targets)).astype("int32"),
    }


@contextlib.contextmanager
def as_on_a_gpu():
    """Takes the ways through the code that a GPU takes, on a CPU."""

    def layout(holds_scores=True):
        return ON_ACCELERATOR if holds_scores else BlockLayout(256, 32)

    kernel = attention._gradients_of_kernel
    with (
        mock.patch.object(backend, "preferred_layout", layout),
        mock.patch.object(backend, "attend_gradients", lambda: kernel),
        mock.patch.object(onednn, "is_faster", lambda: False),
    ):
        yield


def our_model(layers, dtype="float32"):
    """Ours, with the same weights each time."""
    keras.utils.set_random_seed(0)
    return keras_led.LEDForConditionalGeneration(
        keras_led.LEDConfig(**config(layers)), dtype=dtype, max_global_tokens=1
    )


def our_step(layers, dtype, recorded):
    """A step of `fit` as a function that waits for its loss."""
    model = our_model(layers, dtype)
    model.compile(keras.optimizers.AdamW(1e-4), jit_compile=recorded)
    batch = make_batch()
    model.train_on_batch(batch)
    # What `fit` calls for each batch, which it has checked before.
    model.is_fitting = True
    return lambda: float(model.train_function([(batch,)])["loss"])


def their_step(layers, dtype):
    """Likewise of Hugging Face's model, in a loop of PyTorch's own."""
    torch.manual_seed(0)
    model = transformers.LEDForConditionalGeneration(
        transformers.LEDConfig(**config(layers))
    ).train()
    # `foreach`, which is the default on a GPU.
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, foreach=True)
    batch = {k: torch.from_numpy(x).long() for k, x in make_batch().items()}
    mixed = dtype == "mixed_bfloat16"

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


class _Count(TorchDispatchMode):
    """Counts operations and reads while it is active."""

    def __init__(self):
        super().__init__()
        self.found = collections.Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func).removeprefix("aten.")
        if name.startswith(READS):
            self.found["reads"] += not _in_optimizer(sys._getframe())
        elif name.split(".")[0] not in VIEWS:
            self.found["operations"] += 1
        return func(*args, **(kwargs or {}))


def _in_optimizer(frame):
    while frame is not None and "torch/optim/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None


def count(step):
    """Operations and reads of one step, a `Counter`."""
    to_list = torch.Tensor.tolist
    with _Count() as counting:

        def counted(tensor):
            counting.found["reads"] += 1
            return to_list(tensor)

        with mock.patch.object(torch.Tensor, "tolist", counted):
            step()
    return counting.found


def share_of_python(step):
    """Which part of a step's time is not in operations, a float."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities) as profile:
        started = time.perf_counter()
        step()
        seconds = time.perf_counter() - started
    events = profile.key_averages()
    return 1 - 1e-6 * sum(x.self_cpu_time_total for x in events) / seconds


def times_in_turns(steps, rounds, warm_up):
    """Median processor time of each of some functions, in ms, by name."""
    for step in steps.values():
        for _ in range(warm_up):
            step()
    found = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            started = time.process_time()
            step()
            found[name].append(1e3 * (time.process_time() - started))
    return {name: statistics.median(times) for name, times in found.items()}


def compare_steps(layers, rounds, dtypes=DTYPES, warm_up=5):
    """Prints a table of training steps."""
    print(
        f"\nA training step, {layers}+{layers} layers, 512 tokens\n"
        "| dtype | step | ms | operations | reads | Python |\n"
        "|---|---|--:|--:|--:|--:|"
    )
    for dtype in dtypes:
        steps = {
            "keras_led": our_step(layers, dtype, recorded=False),
            "keras_led, recorded": our_step(layers, dtype, recorded=True),
            "Hugging Face": their_step(layers, dtype),
        }
        times = times_in_turns(steps, rounds, warm_up)
        for name, step in steps.items():
            found = count(step)
            print(
                f"| {dtype} | {name} | {times[name]:.1f} | "
                f"{found['operations']:,} | {found['reads']} | "
                f"{share_of_python(step):.0%} |",
                flush=True,
            )


def decoders(layers):
    """Pairs of a name and a function that generates as many tokens."""
    batch = {k: x for k, x in make_batch().items() if k != "labels"}
    ours = our_model(layers)
    theirs = transformers.LEDForConditionalGeneration(
        transformers.LEDConfig(**config(layers))
    ).eval()
    tensors = {k: torch.from_numpy(x).long() for k, x in batch.items()}

    def options(tokens):
        length = {"max_new_tokens": tokens, "min_new_tokens": tokens}
        return {"num_beams": 1, **length}

    def generate(tokens):
        with torch.no_grad():
            theirs.generate(**tensors, **options(tokens))

    return {
        "keras_led": lambda tokens: ours.generate(**batch, **options(tokens)),
        "Hugging Face": generate,
    }


def compare_tokens(layers, rounds, few=8, many=72):
    """Prints a table of the time that one more token takes."""
    steps = {}
    for name, decode in decoders(layers).items():
        for tokens in (few, many):
            steps[name, tokens] = lambda d=decode, n=tokens: d(n)
    times = times_in_turns(steps, rounds, warm_up=2)
    print("\nA generated token, greedy search\n| model | ms |\n|---|--:|")
    for name in ("keras_led", "Hugging Face"):
        spent = times[name, many] - times[name, few]
        print(f"| {name} | {spent / (many - few):.2f} |")


def parse(arguments=None):
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead",
        description=__doc__.splitlines()[0],
    )
    parser.add_argument("--layers", type=int, default=6, help="of each stack")
    parser.add_argument("--rounds", type=int, default=25, help="steps each")
    return parser.parse_args(arguments)


def main(arguments=None):
    """Measures, and prints two tables."""
    chosen = parse(arguments)
    torch.set_num_threads(1)
    facts = harness.machine()
    print(
        f"{facts['processor']}, load {facts['load_before']} before; "
        f"keras {keras.__version__}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}"
    )
    with as_on_a_gpu():
        compare_steps(chosen.layers, chosen.rounds)
        compare_tokens(chosen.layers, max(3, chosen.rounds // 5))


if __name__ == "__main__":
    main()

"""Prints how far documents in processes are from those in one.

Runs in four processes of PyTorch; the first one prints a line of JSON for each
part of the check.
"""

import json
import os
import socket
import sys

import keras
import numpy as np
import torch  # noqa: TID253
from torch import distributed  # noqa: TID253
from torch.nn.parallel import DistributedDataParallel  # noqa: TID253

from keras_led import backend
from keras_led.training import SequenceParallel
from tests.training.shard_models import batch
from tests.training.shard_models import fitted
from tests.training.shard_models import generated
from tests.training.shard_models import largest
from tests.training.shard_models import make

PROCESSES = 4


def spread(size):
    """The distribution of this process, one of each `size` neighbors."""
    first = distributed.get_rank() // size * size
    mesh = keras.distribution.DeviceMesh(
        (1, size), ["data", "sequence"], range(first, first + size)
    )
    return SequenceParallel(mesh)


def everyone(thing):
    """What each process has, as a list."""
    things = [None] * PROCESSES
    distributed.all_gather_object(things, thing)
    return things


def worst(gaps):
    """The largest of all processes, of a dict of numbers."""
    every = everyone(gaps)
    return {key: max(found[key] for found in every) for key in gaps}


def derive(model, inputs, run=None):
    """Hidden states, loss and gradients by path."""
    model.zero_grad()
    output = (run or model)(**inputs, training=True)
    found = {
        "hidden": output.encoder_last_hidden_state.detach().numpy(),
        "loss": output.loss.detach().numpy(),
    }
    output.loss.backward()
    for v in model.trainable_variables:
        found[v.path] = v.value.grad.numpy().copy()
    return found


def compare(one, many):
    """Pairs of the largest difference in any process and the size."""
    gaps = worst({key: largest(many[key] - x) for key, x in one.items()})
    return {key: [gaps[key], largest(x)] for key, x in one.items()}


def gradients():
    """Parts of 24 tokens, windows of 30 on each side, padding, 41 tokens."""
    inputs = batch(93, (list(range(0, 82, 2)), [5]))
    model = make(48, encoder_layers=1, attention_window=[60])
    one = derive(model, inputs)
    found = {}
    for size in (2, 4):
        with spread(size).scope():
            many = derive(model, inputs)
        for x in (one, many):
            x["hidden"] = x["hidden"] * inputs["attention_mask"][:, :, None]
        found[size] = compare(one, many)
    return found


def checkpointing():
    """Layers computed once more, out of the scope; no mask, 21 tokens."""
    inputs = batch(21, ([],))
    inputs = {key: inputs[key] for key in ("input_ids", "labels")}
    model = make(encoder_layers=1, attention_window=[24])
    one = derive(model, inputs)
    model.gradient_checkpointing_enable()
    with spread(PROCESSES).scope():
        output = model(**inputs, training=True)
    model.zero_grad()
    output.loss.backward()
    many = {v.path: v.value.grad.numpy() for v in model.trainable_variables}
    return compare({path: one[path] for path in many}, many)


def batches():
    """Two documents, each in two processes, by `DistributedDataParallel`."""
    inputs = batch(48, ([0, 20], [0]))
    model = make(encoder_layers=1, attention_window=[24])
    one = derive(model, inputs)
    rank = distributed.get_rank()
    groups = [distributed.new_group([n, n + 2]) for n in range(2)]
    replica = DistributedDataParallel(model, process_group=groups[rank % 2])
    mine = slice(rank // 2, rank // 2 + 1)
    with spread(2).scope():
        many = derive(
            model, {key: x[mine] for key, x in inputs.items()}, replica
        )
    one["hidden"] = one["hidden"][mine]
    del one["loss"], many["loss"]  # of which each has its own share
    real = inputs["attention_mask"][mine, :, None]
    for x in (one, many):
        x["hidden"] = x["hidden"] * real
    return compare(one, many)


def noise():
    """Whether the gradient is that of what was dropped."""
    options = {"dropout": 0.1, "attention_dropout": 0.3, "encoder_layers": 1}
    model = make(**options, attention_window=[6])
    inputs = batch(64, ([0, 40],))
    random = np.random.default_rng(0)
    states = [v for v in model.non_trainable_variables if "seed" in v.path]
    before = [v.numpy() for v in states]

    def again():
        # The noise is that of the first process.
        for state, value in zip(states, before, strict=True):
            state.assign(value + distributed.get_rank())
        return derive(model, inputs)

    with spread(PROCESSES).scope():
        seed = backend.shard_seed(keras.ops.convert_to_tensor([3, 4]))
        found, same = again(), again()
        other = derive(model, inputs)
        ways = [
            (v, random.standard_normal(v.shape).astype("float32"))
            for v in model.trainable_variables
        ]
        losses = []
        for size in (1e-3, -2e-3):
            for v, way in ways:
                v.assign_add(size * way)
            losses.append(float(again()["loss"]))
    apart = worst({key: largest(same[key] - x) for key, x in found.items()})
    loss = float(found["loss"])
    return {
        "slope": sum(float(np.sum(way * found[v.path])) for v, way in ways),
        "rise": (losses[0] - losses[1]) / 2e-3,
        "losses": [loss, float(other["loss"])],
        "apart": max(apart.values()),
        "range": worst({"": loss})[""] + worst({"": -loss})[""],
        "seeds": len(set(everyone(seed.first))),
    }


def encoding():
    """Fewer tokens than processes, two windows."""
    inputs = batch(3, ([0], []))
    del inputs["labels"]
    encoder = make().get_encoder()
    one = encoder.predict(inputs, verbose=0)
    with spread(PROCESSES).scope():
        many = encoder.predict(inputs, verbose=0)
    real = inputs["attention_mask"][:, :, None]
    (found,) = compare(
        {"": one["last_hidden_state"] * real},
        {"": many["last_hidden_state"] * real},
    ).values()
    return {"hidden": found}


def training():
    """Losses on one process, and on some."""
    options = {"encoder_layers": 1, "attention_window": [24]}
    found = {"one": fitted(make(**options))}
    for size in (2, 4):
        with spread(size).scope():
            found[size] = fitted(make(**options))
    return found


def generation():
    """Tokens of one process and of all."""
    model = make(encoder_layers=1, attention_window=[24])
    one = generated(model)
    with spread(PROCESSES).scope():
        many = generated(model)
        np.random.seed(distributed.get_rank())
        inputs = batch(21, ([0],))
        del inputs["labels"]
        drawn = model.generate(**inputs, do_sample=True, max_new_tokens=9)
    every = everyone([many, np.asarray(drawn).tolist()])
    assert all(found == every[0] for found in every)
    return {name: [one[name], many[name]] for name in one}


def refusals():
    """What is said of bad calls, in all processes."""
    model = make(encoder_layers=1, attention_window=[24])
    inputs = batch(21, ([],))
    ids = inputs["input_ids"]
    past = model(ids, decoder_input_ids=ids[:, :3]).past_key_values
    rank = distributed.get_rank()

    def mesh(*shape, ranks, names=("data", "sequence")):
        return keras.distribution.DeviceMesh(shape, list(names), ranks)

    def with_layouts():
        whole = mesh(1, PROCESSES, ranks=range(PROCESSES))
        layouts = keras.distribution.LayoutMap(whole)
        layouts["kernel"] = (None, None)
        return SequenceParallel(whole, layouts)

    def within(call):
        with spread(PROCESSES).scope():
            return call()

    calls = {
        "no ranks": lambda: SequenceParallel(mesh(1, 1, ranks=["cpu:0"])),
        "others": lambda: SequenceParallel(
            mesh(1, 1, ranks=[(rank + 1) % PROCESSES])
        ),
        "two axes": lambda: SequenceParallel(mesh(2, 2, ranks=range(4))),
        "layouts": with_layouts,
        "past": lambda: within(
            lambda: model(
                ids, decoder_input_ids=ids[:, :1], past_key_values=past
            )
        ),
        "weights": lambda: within(
            lambda: model(
                ids, decoder_input_ids=ids[:, :1], output_attentions=True
            )
        ),
        "documents": lambda: within(
            lambda: model(
                ids[:, ::-1] if rank == 3 else ids,
                decoder_input_ids=ids[:, :1],
            )
        ),
    }
    found = {}
    for name, call in calls.items():
        try:
            call()
            message = "none"
        except ValueError as error:
            message = str(error)
        found[name] = everyone(message)
    return found


PARTS = (
    gradients,
    checkpointing,
    batches,
    noise,
    encoding,
    training,
    generation,
    refusals,
)


def run(rank, port, names):
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    distributed.init_process_group("gloo", rank=rank, world_size=PROCESSES)
    try:
        for part in PARTS:
            if names and part.__name__ not in names:
                continue
            line = json.dumps({part.__name__: part()})
            if rank == 0:
                print(line, flush=True)  # noqa: T201
    finally:
        distributed.destroy_process_group()


def main(names):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    # Forked, so that nothing is imported again.
    torch.multiprocessing.start_processes(
        run, (port, names), nprocs=PROCESSES, start_method="fork"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

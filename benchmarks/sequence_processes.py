"""Memory of a document spread over processes of PyTorch, as measured.

    export KERAS_BACKEND=torch
    torchrun --nproc-per-node 1 -m benchmarks.sequence_processes
    torchrun --nproc-per-node 4 -m benchmarks.sequence_processes --training

Each process prints how much its memory grows above what it holds once the
model is made. Encoder and training step are measured in runs of their own: the
peak of a process never falls. The model is that of
`benchmarks/sequence_parallel.py`.
"""

import argparse

import keras
import numpy as np
import torch
from torch import distributed

from benchmarks.processes import peak_gigabytes
from benchmarks.sequence_parallel import add_arguments
from benchmarks.sequence_parallel import make_model
from keras_led.training import SequenceParallel


def run_encoder(model, inputs):
    """Runs the encoder on a document."""
    with torch.no_grad():
        model.encode(**inputs)


def run_step(model, inputs, targets):
    """Derives the loss of a training step."""
    labels = np.ones((1, targets), "int32")
    output = model(**inputs, labels=labels, training=True)
    output.loss.backward()


def measure(options):
    """Gigabytes that a run takes on top of the model."""
    model = make_model(options, options.layers)
    inputs = {
        name: np.ones((1, options.tokens), "int32")
        for name in ("input_ids", "attention_mask")
    }
    inputs["global_attention_mask"] = np.zeros((1, options.tokens), "int32")
    cuda = torch.cuda.is_available()
    held = torch.cuda.memory_allocated() / 1e9 if cuda else peak_gigabytes()
    if options.training:
        run_step(model, inputs, options.targets)
    else:
        run_encoder(model, inputs)
    if cuda:
        return torch.cuda.max_memory_allocated() / 1e9 - held
    return peak_gigabytes() - held


def main():
    """Measures in each process of the group."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, tokens=65536)
    parser.add_argument("--training", action="store_true")
    options = parser.parse_args()
    distributed.init_process_group()
    rank, size = distributed.get_rank(), distributed.get_world_size()
    if torch.cuda.is_available():
        torch.cuda.set_device(distributed.get_node_local_rank())
    mesh = keras.distribution.DeviceMesh(
        (1, size), ["data", "sequence"], range(size)
    )
    with SequenceParallel(mesh).scope():
        found = measure(options)
    what = "step" if options.training else "encoder"
    print(f"process {rank} of {size}, {what}: {1e3 * found:.0f} MB", flush=True)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()

"""Fine-tunes in several processes with PyTorch's DistributedDataParallel.

Each process holds the whole model, on a GPU of its own or on the processor,
and takes a share of every batch; gradients are averaged between them. The
script starts the processes of one machine itself:

    export KERAS_BACKEND=torch
    python examples/distributed_torch.py --rows 16 --processes 2

Of several machines each runs it under `torchrun`, which tells the processes of
each other:

    torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d \
        --rdzv-endpoint HOST:29500 examples/distributed_torch.py --rows 16
"""

import os
import socket

import keras
import torch
from distributed_pages import make_model
from distributed_pages import make_pages_parser
from distributed_pages import prepare
from torch.nn.parallel import DistributedDataParallel


def share_of(batch, rank, size):
    """Every `size`-th row of a batch, from row `rank` on, as tensors."""
    return {
        name: keras.ops.convert_to_tensor(array[rank::size])
        for name, array in batch.items()
    }


def train(chosen):
    """Trains in this process, one of a group; returns the model."""
    rank = torch.distributed.get_rank()
    size = torch.distributed.get_world_size()
    # The same weights in every process.
    keras.utils.set_random_seed(1)
    config, dataset = prepare(chosen)
    model = make_model(chosen, config)
    replica = DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters(), chosen.learning_rate)
    for epoch in range(chosen.epochs):
        dataset.go_to(epoch)
        for step in range(len(dataset)):
            inputs, labels = dataset[step]
            inputs = share_of({**inputs, "labels": labels}, rank, size)
            # The loss is the mean over the tokens of all shares.
            loss = replica(**inputs, training=True).loss
            optimizer.zero_grad()
            loss.mean().backward()
            optimizer.step()
            whole = loss.detach().mean() / size
            torch.distributed.all_reduce(whole)
            if rank == 0:
                print(f"step {step}: loss {float(whole):.6f}", flush=True)
    return model


def run(rank, size, port, chosen):
    """Begins one of the processes that `main` starts."""
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = (
        "localhost",
        str(port),
    )
    os.environ["LOCAL_RANK"] = str(rank)
    join(rank, size, chosen)


def join(rank, size, chosen):
    """Trains as one process of a group."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group(
        "nccl" if cuda else "gloo", rank=rank, world_size=size
    )
    try:
        train(chosen)
    finally:
        torch.distributed.destroy_process_group()


def main(arguments=None):
    """Starts the processes, or is one that `torchrun` has started."""
    parser = make_pages_parser(__doc__)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args(arguments)
    if "WORLD_SIZE" in os.environ:
        rank, size = (int(os.environ[key]) for key in ("RANK", "WORLD_SIZE"))
        join(rank, size, chosen)
        return
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(
        run, (chosen.processes, port, chosen), nprocs=chosen.processes
    )


if __name__ == "__main__":
    main()

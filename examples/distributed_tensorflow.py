"""Fine-tunes on several devices, or in several processes, with TensorFlow.

Each replica takes a share of every batch: a GPU, or, where there is none, one
of `--replicas` devices that TensorFlow makes of the processor. `fit` trains:

    export KERAS_BACKEND=tensorflow
    python examples/distributed_tensorflow.py --rows 16 --replicas 2

In several processes MultiWorkerMirroredStrategy shares the batches, for the
same `fit`. The script starts the processes of one machine itself:

    python examples/distributed_tensorflow.py --rows 16 --processes 2

Of several machines each runs it with a TF_CONFIG of its own, which tells them
of each other: the same addresses on all, and the index of the machine.

    TF_CONFIG='{"cluster": {"worker": ["HOST1:29500", "HOST2:29500"]},
        "task": {"type": "worker", "index": 0}}' \
        python examples/distributed_tensorflow.py --rows 16
"""

import json
import multiprocessing
import os
import socket
import sys

import keras
import tensorflow as tf
from distributed_pages import PrintLoss
from distributed_pages import make_model
from distributed_pages import make_pages_parser
from distributed_pages import prepare


def make_strategy(replicas):
    """A strategy for so many devices, or for all GPUs if there are fewer."""
    if not tf.config.list_physical_devices("GPU"):
        (processor,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration()] * replicas
        )
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    devices = tf.config.list_logical_devices(kind)[:replicas]
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def fit(chosen):
    """Trains on the devices of this machine; returns the model."""
    # TensorFlow wants the strategy before anything else runs on a device.
    strategy = make_strategy(chosen.replicas)
    keras.utils.set_random_seed(1)
    config, dataset = prepare(chosen)
    with strategy.scope():
        model = make_model(chosen, config)
    model.fit(
        dataset,
        epochs=chosen.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[PrintLoss()],
    )
    print(f"{strategy.num_replicas_in_sync} replicas shared every batch.")
    return model


def join(chosen):
    """Trains as one of the processes that TF_CONFIG names."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    first = strategy.cluster_resolver.task_id == 0
    # The same weights in every process.
    keras.utils.set_random_seed(1)
    config, dataset = prepare(chosen)
    with strategy.scope():
        model = make_model(chosen, config)
    model.fit(
        dataset,
        epochs=chosen.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[PrintLoss()] if first else [],
    )
    if first:
        size = strategy.num_replicas_in_sync
        print(f"{size} processes shared every batch.")
    return model


def run(rank, addresses, chosen):
    """Begins one of the processes that `start` starts."""
    content = {
        "cluster": {"worker": addresses},
        "task": {"type": "worker", "index": rank},
    }
    os.environ["TF_CONFIG"] = json.dumps(content)
    join(chosen)


def start(chosen):
    """Trains in processes of this machine; fails if one of them does."""
    sockets = [socket.socket() for _ in range(chosen.processes)]
    for each in sockets:
        each.bind(("localhost", 0))
    addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    processes = multiprocessing.get_context("spawn")
    started = [
        processes.Process(target=run, args=(rank, addresses, chosen))
        for rank in range(chosen.processes)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    if any(process.exitcode for process in started):
        sys.exit(1)


def main(arguments=None):
    """Trains; returns the model, but from processes of their own."""
    parser = make_pages_parser(__doc__)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--processes", type=int, help="instead of replicas")
    chosen = parser.parse_args(arguments)
    if "TF_CONFIG" in os.environ:
        return join(chosen)
    if chosen.processes:
        return start(chosen)
    return fit(chosen)


if __name__ == "__main__":
    main()

"""Fine-tunes on several devices of one machine with TensorFlow.

Each replica takes a share of every batch: a GPU, or, where there is none, one
of `--replicas` devices that TensorFlow makes of the processor:

    export KERAS_BACKEND=tensorflow
    python examples/distributed_tensorflow.py --rows 16 --replicas 2

For several machines see `distributed_torch.py`: the `fit` of Keras 3.15 fails
under TensorFlow's MultiWorkerMirroredStrategy.
"""

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


def main(arguments=None):
    """Trains; returns the model."""
    parser = make_pages_parser(__doc__)
    parser.add_argument("--replicas", type=int, default=2)
    chosen = parser.parse_args(arguments)
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


if __name__ == "__main__":
    main()

"""Fine-tunes on several devices with JAX: whole batches, or weights, shared.

Each device takes a share of every batch. With `--model-devices 4`, groups of
four devices also share the weights, and the batch is split among the groups.
On a machine without accelerators JAX makes eight devices of the processor:

    export KERAS_BACKEND=jax
    export XLA_FLAGS=--xla_force_host_platform_device_count=8
    python examples/distributed_jax.py --rows 16
    python examples/distributed_jax.py --rows 16 --model-devices 4
"""

import keras
from distributed_pages import PrintLoss
from distributed_pages import make_model
from distributed_pages import make_pages_parser
from distributed_pages import prepare

from keras_led.training import layout_map


def make_distribution(config, model_devices, embeddings="hidden"):
    """All devices of JAX, in groups of `model_devices` that hold one model."""
    devices = keras.distribution.list_devices()
    if model_devices == 1:
        return keras.distribution.DataParallel(devices=devices)
    mesh = keras.distribution.DeviceMesh(
        (len(devices) // model_devices, model_devices),
        ["data", "model"],
        devices,
    )
    return keras.distribution.ModelParallel(
        layout_map=layout_map(mesh, config, embeddings=embeddings),
        batch_dim_name="data",
    )


def main(arguments=None):
    """Trains; returns the model."""
    parser = make_pages_parser(__doc__)
    parser.add_argument("--model-devices", type=int, default=1)
    parser.add_argument(
        "--embeddings",
        default="hidden",
        help="the axis on which tables are shared: hidden or vocabulary",
    )
    chosen = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    config, dataset = prepare(chosen)
    distribution = make_distribution(
        config, chosen.model_devices, chosen.embeddings
    )
    # A weight is laid out when it is made: first the scope, then the model.
    with distribution.scope():
        model = make_model(chosen, config)
        model.fit(
            dataset,
            epochs=chosen.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[PrintLoss()],
        )
    kernel = model.led.encoder.layers[0].fc1.kernel.value
    share = kernel.addressable_shards[0].data.shape
    count = len(kernel.sharding.device_set)
    print(f"Each of {count} devices holds {share} of a kernel {kernel.shape}.")
    return model


if __name__ == "__main__":
    main()
